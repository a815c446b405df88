import { aws_iam as iam, aws_kms as kms, aws_lambda as lambda, aws_logs as logs, custom_resources as cr, Duration } from 'aws-cdk-lib';
import { Construct, Dependable, DependencyGroup, IConstruct, IDependable } from 'constructs';
import { RelayFunction } from './relay-function';
import { Network } from '../network/network';
import { functionLogs, keepLogs, letLambdaAttach } from '../private/api-function';
import { shared } from '../private/shared';

export interface PoolProviderProps {
  readonly network: Network;
  readonly encryptionKey: kms.IKey;
  readonly logRetention: logs.RetentionDays;
}

/**
 * Whom CloudFormation asks for the work pools of a stack. CloudFormation lets no resource change whom it asks, but a pool's function is
 * another one where its API moves, or its network: so it is one for all, which relays.
 */
export class PoolProvider extends Construct {
  public static of(worker: IConstruct, props: PoolProviderProps): PoolProvider {
    const provider = shared(worker, 'WorkPoolProvider', (scope, id) => new PoolProvider(scope, id, props));
    keepLogs(provider, props.logRetention);
    provider.move(props.network);
    return provider;
  }

  public readonly serviceToken: string;
  /** The role of what calls the pools' functions. */
  public readonly role: iam.Role;
  /** What has to be there before it can be asked. */
  public readonly connectivity = new DependencyGroup();
  private readonly functions: lambda.Function[];
  private inVpc = false;

  private constructor(scope: Construct, id: string, props: PoolProviderProps) {
    super(scope, id);
    const logGroup = functionLogs(this, 'Logs', props);
    this.role = new iam.Role(this, 'Role', {
      description: 'Relays what CloudFormation asks of Prefect work pools',
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
    });
    logGroup.grantWrite(this.role);
    const relay = new RelayFunction(this, 'Function', {
      description: 'Relays what CloudFormation asks of Prefect work pools to the function of their API',
      // As long as the one that it waits for.
      timeout: Duration.minutes(15),
      memorySize: 128,
      role: this.role,
      logGroup,
    });
    const provider = new cr.Provider(this, 'Provider', { onEventHandler: relay, logGroup: functionLogs(this, 'ProviderLogs', props) });
    this.serviceToken = provider.serviceToken;
    this.functions = [relay, ...provider.node.findAll().filter(child => child instanceof lambda.Function)];
  }

  /** A resource that it makes, for those who wait for it; nothing where it waits itself for the VPC's route to the internet, which may be theirs. */
  public answering(resource: IDependable): IDependable {
    const answering: IDependable = {};
    const rootsOf = () => (this.inVpc ? [] : Dependable.of(resource).dependencyRoots);
    Dependable.implement(answering, { get dependencyRoots() { return rootsOf(); } });
    return answering;
  }

  /** Into the VPC, where one of the workers has all functions there. The L2 takes a VPC only when it is created. */
  private move({ providerOptions: { vpc, vpcSubnets, securityGroups = [] }, connectivity }: Network): void {
    if (!vpc) return;
    this.connectivity.add(connectivity);
    if (this.inVpc) return;
    this.inVpc = true;
    const { subnetIds } = vpc.selectSubnets(vpcSubnets);
    const securityGroupIds = securityGroups.map(({ securityGroupId }) => securityGroupId);
    for (const fn of this.functions) {
      (fn.node.defaultChild as lambda.CfnFunction).vpcConfig = { subnetIds, securityGroupIds };
      letLambdaAttach(fn.role!);
    }
  }
}
