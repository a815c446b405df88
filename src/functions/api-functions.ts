import { aws_iam as iam, aws_kms as kms, aws_logs as logs } from 'aws-cdk-lib';
import { Construct, DependencyGroup, IConstruct } from 'constructs';
import { Network } from '../network/network';
import { PrefectApi } from '../prefect-api';
import { apiLocation, functionLogs, keepLogs, letLambdaAttach } from '../private/api-function';
import { idByKey } from '../private/encryption';
import { fingerprint } from '../private/fingerprint';
import { shared } from '../private/shared';
import { invalid, isResolved } from '../private/validation';

export interface ApiFunctionsProps {
  readonly api: PrefectApi;
  readonly network: Network;
  readonly encryptionKey: kms.IKey;
  readonly logRetention: logs.RetentionDays;
}

/**
 * The functions that ask one Prefect API from one place in the network. The workers of a stack share them: each is called once for every
 * worker, with the worker's settings as the event.
 */
export class ApiFunctions extends Construct {
  /** Those for a worker's API and network, which its stack may have already. */
  public static of(worker: IConstruct, props: ApiFunctionsProps): ApiFunctions {
    const { api, network } = props;
    const { tlsCaCertificate: _, ...location } = apiLocation(api);
    const secrets = Object.values(api._secrets).map(({ arn }) => arn);
    // A certificate is replaced now and then; by the rest, functions are others.
    const id = idByKey(worker, `Functions${fingerprint(worker, { location, secrets, place: network.functionPlace })}`, props.encryptionKey);
    const functions = shared(worker, id, (scope, own) => new ApiFunctions(scope, own, props));
    functions.join(props);
    return functions;
  }

  /** What has to be there before the functions reach what they call. */
  private readonly connectivity = new DependencyGroup();

  private constructor(scope: Construct, id: string, private readonly props: ApiFunctionsProps) {
    super(scope, id);
  }

  public get api(): PrefectApi {
    return this.props.api;
  }

  /** One of the functions, with what belongs to it; created for the first worker that needs it. */
  public one<T extends Construct>(id: string, create: (scope: ApiFunctions, id: string) => T): T {
    const one = this.node.tryFindChild(id) as T | undefined ?? create(this, id);
    keepLogs(one, this.props.logRetention);
    return one;
  }

  /** Role, logs and network of one of them. */
  public options(scope: Construct, purpose: string) {
    const { api, network } = this.props;
    const logGroup = functionLogs(scope, 'Logs', this.props);
    const role = new iam.Role(scope, 'Role', { description: purpose, assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
    if (network.functionsInVpc) letLambdaAttach(role);
    logGroup.grantWrite(role);
    Object.values(api._functionSecrets).forEach(secret => secret.grantRead(role));
    // What waits for its policy waits for the way, too.
    scope.node.addDependency(this.connectivity);
    return { ...network.functionOptions, role, logGroup };
  }

  private join({ api, network, logRetention }: ApiFunctionsProps): void {
    const [mine, others] = [api, this.props.api].map(({ _tlsCaCertificate: certificate }) => certificate);
    if (mine !== others && (mine === undefined || isResolved(mine)) && (others === undefined || isResolved(others))) {
      throw invalid('tlsCaCertificate', mine, `another worker of the stack has another one for ${isResolved(api.url) ? api.url : 'the same API'}; give both the same.`);
    }
    keepLogs(this, logRetention);
    if (network.functionsInVpc) this.connectivity.add(network.connectivity);
  }
}
