import {
  aws_cloudwatch as cloudwatch, aws_ec2 as ec2, aws_ecs as ecs, aws_elasticloadbalancingv2 as elbv2, aws_iam as iam, aws_kms as kms, aws_logs as logs,
  aws_rds as rds, aws_secretsmanager as secretsmanager, aws_sns as sns, aws_wafv2 as wafv2, CfnOutput, Duration, RemovalPolicy, Stack,
} from 'aws-cdk-lib';
import { Construct, IDependable } from 'constructs';
import { SERVER_FINDINGS } from './acknowledged-findings';
import { createdAuthString } from './auth-string';
import { Database } from './database';
import { Firewall } from './firewall';
import { LoadBalancer } from './load-balancer';
import { Migration } from './migration';
import { PrefectServerProps } from './prefect-server-props';
import { Redis } from './redis';
import { SecretFollower } from './secret-follower';
import { ServerAccess } from './server-access';
import { ServerAlarms } from './server-alarms';
import { showServer } from './server-dashboard';
import { ServerDatabase } from './server-database';
import { SERVER_PORT, ServerNetwork } from './server-network';
import { ServerServices } from './server-services';
import { ServerSize } from './server-size';
import { ServerTask, ServerTaskContext } from './server-task';
import { validateServer } from './validate-server';
import { Cluster } from '../cluster/cluster';
import { DefaultImages } from '../images/default-images';
import { AlarmTopics } from '../observability/alarm-topics';
import { acknowledgeFindings } from '../private/acknowledge';
import { encryptionKey } from '../private/encryption';
import { validatedAt } from '../private/validation';
import { enableExecuteCommand } from '../service/execute-command';
import { FLOW_RUN_IMAGE } from '../task/images';

/**
 * A Prefect server of your own on Amazon ECS with Fargate: API and UI, the background services, the database, and a way in.
 *
 * ```ts
 * declare const vpc: ec2.Vpc;
 *
 * const server = new PrefectServer(this, 'Server', { vpc });
 * new PrefectFargateWorker(this, 'Worker', {
 *   vpc,
 *   api: PrefectApi.fromServer(server),
 *   workPool: WorkPool.managed('etl'),
 * });
 * ```
 *
 * Without a `domain`, workers in the VPC find it by a private name. With one, people and programs reach it over HTTPS, inside your network or,
 * behind a firewall, from the internet.
 *
 * @see https://docs.prefect.io/v3/advanced/self-hosted
 */
export class PrefectServer extends Construct implements ec2.IConnectable {
  /** The VPC in which it runs. */
  public readonly vpc: ec2.IVpc;

  /** The cluster in which it runs. Give it to a worker to share it. */
  public readonly cluster: ecs.ICluster;

  /** URL of its API for programs in the VPC, as in the setting `PREFECT_API_URL`. */
  public readonly apiUrl: string;

  /** Address of its UI: at the name of `domain`, or inside the VPC. */
  public readonly uiUrl: string;

  /** What its clients have to know, `user:password`. */
  public readonly authString: ecs.Secret;

  /** The secret with `authString`. Undefined where you gave one. */
  public readonly authStringSecret?: secretsmanager.ISecret;

  /** The service of the API, in which everything is with `ServerSize.small()`. */
  public readonly apiService: ecs.FargateService;

  /** The service of the background services. Undefined with `ServerSize.small()`. */
  public readonly backgroundService?: ecs.FargateService;

  /** The number of API tasks under AWS Application Auto Scaling. Undefined with `ServerSize.small()`. */
  public readonly scalableTaskCount?: ecs.ScalableTaskCount;

  /** The load balancer. Undefined where `access` has none. */
  public readonly loadBalancer?: elbv2.ApplicationLoadBalancer;

  /** The listener of the load balancer. Undefined where `access` has none. */
  public readonly listener?: elbv2.ApplicationListener;

  /** The firewall. Undefined where the server is not public. */
  public readonly webAcl?: wafv2.CfnWebACL;

  /** The RDS instance that was created. */
  public readonly databaseInstance?: rds.DatabaseInstance;

  /** The Aurora cluster that was created. */
  public readonly databaseCluster?: rds.DatabaseCluster;

  /** Network connections of what programs in the VPC call: the load balancer, or the tasks. Their port is the default. */
  public readonly connections: ec2.Connections;

  /** Network connections of the server's tasks. Let them out to what automations call on ports other than 443. */
  public readonly taskConnections: ec2.Connections;

  /** Task role of the server. It has no permissions until you give it some. */
  public readonly taskRole: iam.IRole;

  /** Log group of the server. */
  public readonly logGroup: logs.ILogGroup;

  /** The alarms by their names in docs/server.md. Empty where `observability.alarms` is off. */
  public readonly alarms: { [name: string]: cloudwatch.Alarm };

  /** The topic that alarms are published to. Undefined where `observability.alarms` is off. */
  public readonly alarmTopic?: sns.ITopic;

  /** The dashboard. Undefined where `observability.dashboard` is off. */
  public readonly dashboard?: cloudwatch.Dashboard;

  /**
   * What has to be there before a client asks the API.
   *
   * @internal
   */
  public readonly _answering: readonly IDependable[];

  /** @internal */
  public readonly _port: number;

  /**
   * Creates the server, and all that it needs and wasn't given.
   *
   * Throws for a property, or a combination of properties, that can't work. The message names the property, its value and the fix.
   *
   * @param scope the stack, or a construct in it
   * @param id name of the server within `scope`; if you change it later, you get another server, with an empty database
   * @param props the VPC, and what is to differ from the defaults
   */
  constructor(scope: Construct, id: string, props: PrefectServerProps) {
    super(scope, id);
    acknowledgeFindings(this, SERVER_FINDINGS);
    const built = validatedAt(this, () => this.build(props));
    const { network, cluster, auth, database, services, loadBalancer, firewall, entrance, logGroup, taskRole, alarms, topics, dashboard } = built;

    this.vpc = network.vpc;
    this.cluster = cluster;
    this.apiUrl = `${entrance.url}/api`;
    this.uiUrl = loadBalancer ? `https://${props.domain!.name}` : entrance.url;
    this.authString = auth.authString;
    this.authStringSecret = auth.secret;
    this.apiService = services.api;
    this.backgroundService = services.services;
    this.scalableTaskCount = services.scalableTaskCount;
    this.loadBalancer = loadBalancer?.loadBalancer;
    this.listener = loadBalancer?.listener;
    this.webAcl = firewall?.webAcl;
    this.databaseInstance = database.instance;
    this.databaseCluster = database.cluster;
    this.connections = entrance.connections;
    this.taskConnections = network.connections;
    this.taskRole = taskRole;
    this.logGroup = logGroup;
    this.alarms = alarms;
    this.alarmTopic = topics?.all;
    this.dashboard = dashboard;
    this._answering = [services, ...(loadBalancer ? [loadBalancer] : [])];
    this._port = entrance.port;
    this.addOutputs();
  }

  /** The parts, from first to last. */
  private build(props: PrefectServerProps) {
    const { domain, size = ServerSize.small(), removalPolicy = RemovalPolicy.SNAPSHOT } = props;
    const { alarmTopic, logRetention = logs.RetentionDays.ONE_MONTH, ...shown } = props.observability ?? {};
    const { access = domain ? ServerAccess.INTERNAL_LOAD_BALANCER : ServerAccess.PRIVATE_DNS, cpuArchitecture = ecs.CpuArchitecture.ARM64 } = props;
    const highlyAvailable = size._maxApiTasks !== 1;
    const databaseOptions = props.database ?? (highlyAvailable ? ServerDatabase.auroraServerless() : ServerDatabase.instance());
    validateServer(props, { access, size, database: databaseOptions });
    const isPublic = access === ServerAccess.PUBLIC_LOAD_BALANCER;
    const key = this.key(props.encryptionKey, removalPolicy);

    const network = new ServerNetwork(this, 'Network', props);
    const ecsCluster = new Cluster(this, 'Cluster', { ...props, createsVpc: false, encryptionKey: key, logRetention });
    const { cluster } = ecsCluster;
    const auth = props.authString ? { authString: props.authString, secret: undefined } : createdAuthString(this, key);
    const database = new Database(this, 'Database', { network, database: databaseOptions, highlyAvailable, encryptionKey: key, removalPolicy });
    const redis = highlyAvailable ? new Redis(this, 'Redis', { network, given: props.redis, encryptionKey: key }) : undefined;

    const logGroup = new logs.LogGroup(this, 'Logs', { encryptionKey: key, retention: logRetention, removalPolicy: RemovalPolicy.DESTROY });
    const { taskRole, executionRole } = this.roles();
    const images = new DefaultImages(this, { copy: props.copyImages, network, cpuArchitecture, encryptionKey: key, logRetention });
    const context: ServerTaskContext = {
      settings: {
        database,
        redis,
        authString: auth.authString,
        flowRunRetention: props.flowRunRetention ?? Duration.days(90),
        eventRetention: props.eventRetention ?? Duration.days(7),
      },
      image: images.givenOr(FLOW_RUN_IMAGE, 'image', props.image),
      cpuArchitecture,
      environment: props.environment,
      secrets: props.secrets,
      logGroup,
      taskRole,
      executionRole,
    };
    const apiTask = new ServerTask(this, 'ApiTask', { ...context, part: highlyAvailable ? 'api' : 'server', size: size._apiTask });
    const servicesTask = size._servicesTask && new ServerTask(this, 'ServicesTask', { ...context, part: 'services', size: size._servicesTask });
    const migrationTask = new ServerTask(this, 'MigrationTask', { ...context, part: 'migration', size: size._apiTask });

    const migration = new Migration(this, 'Migration', { task: migrationTask, cluster, network, logGroup, encryptionKey: key, logRetention });
    migration.resource.node.addDependency(...database.available);
    const services = new ServerServices(this, 'Services', {
      cluster,
      network,
      size,
      apiTask,
      servicesTask,
      after: [migration, network.connectivity, taskRole, executionRole, ...(redis ? [redis] : [])],
      privateName: access !== ServerAccess.INTERNAL_LOAD_BALANCER,
    });
    const secrets = [auth.authString, database.credentials.password, redis?.authToken, ...Object.values(props.secrets ?? {})];
    new SecretFollower(this, 'SecretFollower', {
      cluster,
      services: [services.api, ...(services.services ? [services.services] : [])],
      secrets: secrets.filter(secret => secret !== undefined),
      encryptionKey: key,
      logRetention,
    });

    const loadBalancer = access === ServerAccess.PRIVATE_DNS ? undefined : new LoadBalancer(this, 'Access', {
      network, service: services.api, domain: domain!, internetFacing: isPublic, signIn: props.signIn,
    });
    const firewall = isPublic ? new Firewall(this, 'Firewall', {
      options: props.firewall ?? {}, resourceArn: loadBalancer!.loadBalancer.loadBalancerArn, encryptionKey: key, logRetention,
    }) : undefined;
    const entrance = services.privateHost !== undefined
      ? { url: `http://${services.privateHost}:${SERVER_PORT}`, port: SERVER_PORT, connections: network.connections }
      : { url: `https://${domain!.name}`, port: 443, connections: loadBalancer!.connections };

    if (props.enableExecuteCommand) {
      for (const [service, task] of [[services.api, apiTask], [services.services, servicesTask]] as const) {
        if (!service || !task) continue;
        enableExecuteCommand(this, { cluster, service, container: task.container, taskRoles: [taskRole], logGroup, whose: 'the server' });
      }
    }
    const { containerInsights } = ecsCluster;
    const parts = { path: this.node.path, containerInsights, services, database, databaseOptions, redis, loadBalancer, firewall };
    const topics = shown.alarms ?? true ? new AlarmTopics(new Construct(this, 'Observability'), { alarmTopic }, key) : undefined;
    const alarms = topics ? new ServerAlarms(this, 'Alarms', parts, topics).byName : {};
    const dashboard = shown.dashboard ?? true ? showServer(this, parts, Object.values(alarms)) : undefined;
    return { network, cluster, auth, database, services, loadBalancer, firewall, entrance, logGroup, taskRole, alarms, topics, dashboard };
  }

  /** What the key has encrypted is there as long as snapshots of the database are. */
  private key(given: kms.IKey | undefined, removalPolicy: RemovalPolicy): kms.IKey {
    const key = encryptionKey(this, given, 'Database, secrets and logs of the Prefect server');
    if (!given && removalPolicy !== RemovalPolicy.DESTROY) key.applyRemovalPolicy(RemovalPolicy.RETAIN);
    return key;
  }

  private roles() {
    const { partition, region, account } = Stack.of(this);
    // For tasks of this account and region only.
    // https://docs.aws.amazon.com/AmazonECS/latest/developerguide/cross-service-confused-deputy-prevention.html
    const assumedBy = new iam.ServicePrincipal('ecs-tasks.amazonaws.com', {
      conditions: {
        StringEquals: { 'aws:SourceAccount': account },
        ArnLike: { 'aws:SourceArn': `arn:${partition}:ecs:${region}:${account}:*` },
      },
    });
    return {
      taskRole: new iam.Role(this, 'TaskRole', { description: `Tasks of the Prefect server ${this.node.path}`, assumedBy }),
      executionRole: new iam.Role(this, 'ExecutionRole', { description: `Starts tasks of the Prefect server ${this.node.path}`, assumedBy }),
    };
  }

  private addOutputs(): void {
    const output = (id: string, description: string, value: string) => new CfnOutput(this, id, { description, value });
    output('ApiUrl', 'The Prefect API, for programs in the VPC', this.apiUrl);
    output('UiUrl', 'The Prefect UI', this.uiUrl);
    output('LogGroup', 'The log group of the server', this.logGroup.logGroupName);
    if (this.authStringSecret) output('AuthStringSecret', 'The secret with the user and the password that the UI asks for', this.authStringSecret.secretArn);
  }
}
