import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { PATIENCE } from '../pace';
import { StandIn, startStandIn, TaskInfo } from './stand-in';

export const TIME_SCALE = 10;
export const ROLE = 'arn:aws:iam::123456789012:role/task';
const TARGETS: Record<string, string> = {
  ecr: 'AmazonEC2ContainerRegistry_V20150921',
  ecs: 'AmazonEC2ContainerServiceV20141113',
  events: 'AWSEvents',
  logs: 'Logs_20140328',
  secretsmanager: 'secretsmanager',
  sqs: 'AmazonSQS',
};
const NETWORK = { awsvpcConfiguration: { subnets: ['subnet-1'] } };

/** A stand-in with a cluster and a log group, and what its own tests ask it as anybody asks AWS. */
export class StandInWorld {
  public static async start(): Promise<StandInWorld> {
    const world = new StandInWorld(await startStandIn({ directory: mkdtempSync(path.join(tmpdir(), 'stand-in-test-')), timeScale: TIME_SCALE }));
    await world.aws('ecs', 'CreateCluster', { clusterName: 'test' });
    await world.aws('logs', 'CreateLogGroup', { logGroupName: '/test' });
    return world;
  }

  private constructor(public readonly standIn: StandIn) {}

  public async register(family: string, command: string[], container: object = {}, definition: object = {}): Promise<void> {
    await this.aws('ecs', 'RegisterTaskDefinition', {
      family,
      cpu: '256',
      memory: '512',
      requiresCompatibilities: ['FARGATE'],
      executionRoleArn: ROLE,
      taskRoleArn: ROLE,
      containerDefinitions: [{
        name: 'main',
        image: 'unused',
        command,
        logConfiguration: { logDriver: 'awslogs', options: { 'awslogs-group': '/test', 'awslogs-stream-prefix': 't', 'awslogs-region': 'us-east-1' } },
        ...container,
      }],
      ...definition,
    });
  }

  public async run(taskDefinition: string, more: object = {}): Promise<string> {
    const answer = await this.aws('ecs', 'RunTask', { cluster: 'test', taskDefinition, networkConfiguration: NETWORK, ...more });
    return answer.tasks[0].taskArn;
  }

  public async service(name: string, desiredCount: number, more: object = {}): Promise<void> {
    await this.aws('ecs', 'CreateService', { cluster: 'test', serviceName: name, taskDefinition: name, desiredCount, networkConfiguration: NETWORK, ...more });
  }

  public async describeService(name: string): Promise<any> {
    return (await this.aws('ecs', 'DescribeServices', { cluster: 'test', services: [name] })).services[0];
  }

  public async find(arn: string): Promise<TaskInfo> {
    return (await this.standIn.tasks()).find((item) => item.taskArn === arn)!;
  }

  public async tasksOf(name: string): Promise<TaskInfo[]> {
    return (await this.standIn.tasks()).filter((item) => item.group === `service:${name}`);
  }

  public async logOf(arn: string): Promise<string> {
    return this.standIn.containerLog(arn, 'main');
  }

  public async aws(name: string, action: string, body: object): Promise<any> {
    return JSON.parse((await this.post(name, { 'x-amz-target': `${TARGETS[name]}.${action}`, 'content-type': 'application/x-amz-json-1.1' }, JSON.stringify(body))) || '{}');
  }

  public async stack(action: string, parameters: Record<string, string>): Promise<string> {
    return this.post('cloudformation', { 'content-type': 'application/x-www-form-urlencoded' }, new URLSearchParams({ Action: action, Version: '2010-05-15', ...parameters }).toString());
  }

  private async post(name: string, headers: Record<string, string>, body: string): Promise<string> {
    const authorization = `AWS4-HMAC-SHA256 Credential=STANDIN/20260101/us-east-1/${name}/aws4_request, SignedHeaders=host, Signature=0`;
    const answer = await fetch(`${this.standIn.endpoint}/`, { method: 'POST', headers: { ...headers, authorization }, body });
    const text = await answer.text();
    if (!answer.ok) {
      throw new Error(`${name}: ${answer.status} ${text}`);
    }
    return text;
  }
}

export function python(code: string): string[] {
  return ['python', '-c', code];
}

export async function until<T>(look: () => Promise<T>, good: (seen: T) => boolean): Promise<T> {
  for (const end = Date.now() + 20_000 * PATIENCE; ;) {
    const seen = await look();
    if (good(seen)) {
      return seen;
    }
    if (Date.now() > end) {
      throw new Error(`it did not come to that; last seen: ${JSON.stringify(seen, undefined, 2)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
