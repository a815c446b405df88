import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { aws_ecs as ecs, aws_iam as iam, aws_logs as logs, Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { SERVER_PORT } from './server-network';
import { serverEnvironment, serverSecrets, ServerSettings } from './settings';
import { sortedByName } from '../private/order';
import { addCaCertificate } from '../task/ca-certificate';
import { validateTaskDefinition } from '../task/validate-task-definition';
import { addTmpVolume } from '../task/writable-tmp';

/** What runs in the container, as text: the image is Prefect's, unchanged. */
const program = (file: string) => readFileSync(join(__dirname, '..', '..', 'assets', 'server', file), 'utf8');

/** What a task of the server is for. */
export type ServerPart = 'server' | 'api' | 'services' | 'migration';

const START = ['prefect', 'server', 'start', '--host', '0.0.0.0', '--port', String(SERVER_PORT)];
const COMMANDS: { readonly [part in ServerPart]: readonly string[] } = {
  server: START,
  api: [...START, '--no-services'],
  services: ['prefect', 'server', 'services', 'start'],
  migration: ['prefect', 'server', 'database', 'upgrade', '-y'],
};

/** What all tasks of a server have in common. */
export interface ServerTaskContext {
  readonly settings: ServerSettings;
  readonly image: ecs.ContainerImage;
  readonly cpuArchitecture: ecs.CpuArchitecture;
  readonly environment?: { readonly [name: string]: string };
  readonly secrets?: { readonly [name: string]: ecs.Secret };
  readonly logGroup: logs.ILogGroup;
  readonly taskRole: iam.IRole;
  readonly executionRole: iam.IRole;
}

export interface ServerTaskProps extends ServerTaskContext {
  readonly part: ServerPart;
  readonly size: { readonly cpu: number; readonly memoryLimitMiB: number };
}

/** Name of the container, and beginning of its log streams behind the part. */
export const CONTAINER = 'prefect';

/** A task definition of the server. */
export class ServerTask extends Construct {
  public readonly taskDefinition: ecs.FargateTaskDefinition;
  public readonly container: ecs.ContainerDefinition;

  constructor(scope: Construct, id: string, props: ServerTaskProps) {
    super(scope, id);
    const { part, settings, image, size } = props;
    this.taskDefinition = new ecs.FargateTaskDefinition(this, 'TaskDefinition', {
      ...size,
      runtimePlatform: { cpuArchitecture: props.cpuArchitecture, operatingSystemFamily: ecs.OperatingSystemFamily.LINUX },
      taskRole: props.taskRole,
      executionRole: props.executionRole,
    });
    validateTaskDefinition(this.taskDefinition);
    const logging = ecs.LogDrivers.awsLogs({ logGroup: props.logGroup, streamPrefix: part });
    this.container = this.taskDefinition.addContainer(CONTAINER, {
      image,
      logging,
      command: ['python', '-c', program('launcher.py'), ...COMMANDS[part]],
      environment: { ...sortedByName(props.environment), ...serverEnvironment(settings) },
      secrets: { ...sortedByName(props.secrets), ...serverSecrets(settings) },
      healthCheck: healthCheck(part),
      // The API answers what is in flight and ends within a second; a migration is better not cut off.
      stopTimeout: Duration.seconds(part === 'migration' ? 120 : 60),
      portMappings: part === 'server' || part === 'api' ? [{ containerPort: SERVER_PORT }] : undefined,
      linuxParameters: new ecs.LinuxParameters(this, 'LinuxParameters', { initProcessEnabled: true }),
      readonlyRootFilesystem: true,
      user: '1000:1000',
    });
    addTmpVolume(this.container, image, logging);
    addCaCertificate(this.container, image, logging, settings.database.certificate);
  }
}

function healthCheck(part: ServerPart): ecs.HealthCheck | undefined {
  if (part === 'migration') return undefined;
  return {
    command: ['CMD', 'python', '-c', program(part === 'services' ? 'services_health.py' : 'health_check.py')],
    interval: Duration.seconds(15),
    timeout: Duration.seconds(10),
    retries: 4,
    startPeriod: Duration.seconds(120),
  };
}
