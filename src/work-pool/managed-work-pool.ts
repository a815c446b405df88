import { aws_iam as iam, aws_kms as kms, aws_lambda as lambda, aws_logs as logs, custom_resources as cr, CustomResource, Duration, IResolvable, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { Network } from '../network/network';
import { PrefectApi } from '../prefect-api';
import { apiFunction, apiLocation, functionLogs } from '../private/api-function';
import { ManagedWorkPoolOptions, WorkPool } from '../work-pool';
import { WorkerType } from '../worker-type';
import { TemplateValues, WorkPoolConfiguration } from './configuration';
import { DriftCheck } from './drift-check';
import { WorkPoolFunction } from './work-pool-function';

/**
 * Raised with what the function does or answers: CloudFormation calls it only where a property has changed, and takes attributes
 * from its last answer, which may be that of an earlier release.
 */
const REVISION = 2;

/**
 * Seconds without any event of a running flow run after which it counts as crashed. A run lives through an outage of the
 * API, so this is longer than an outage usually lasts.
 */
const LOST_AFTER_SECONDS = 900;

export interface ManagedWorkPoolProps {
  readonly api: PrefectApi;
  readonly network: Network;
  readonly workPool: WorkPool;
  readonly options: ManagedWorkPoolOptions;
  readonly workerType: WorkerType;
  readonly template: TemplateValues | IResolvable;
  readonly encryptionKey: kms.IKey;
  readonly logRetention: logs.RetentionDays;
}

/** A work pool as a resource of the stack: made and kept up to date over the Prefect API. */
export class ManagedWorkPool extends Construct {
  public readonly resource: CustomResource;
  /** Where the pool's function says what is not as the last deployment left it. */
  public readonly logGroup: logs.ILogGroup;
  /** The role of that function, and what calls it. */
  public readonly role: iam.IRole;
  public readonly serviceToken: string;

  constructor(scope: Construct, id: string, private readonly props: ManagedWorkPoolProps) {
    super(scope, id);
    const { network } = props;

    const fn = this.makeFunction();
    this.logGroup = fn.logGroup;
    this.role = fn.role!;
    const provider = new cr.Provider(this, 'Provider', {
      onEventHandler: fn,
      logGroup: functionLogs(this, 'ProviderLogs', props),
      ...network.providerOptions,
    });
    this.serviceToken = provider.serviceToken;
    this.resource = new CustomResource(this, 'Resource', {
      resourceType: 'Custom::PrefectWorkPool',
      serviceToken: this.serviceToken,
      properties: {
        // As JSON, because CloudFormation turns every number and boolean of a custom resource into a string.
        Configuration: Stack.of(this).toJsonString(configuration(props)),
        Revision: REVISION,
      },
    });
    new DriftCheck(this, 'DriftCheck', { fn, resource: this.resource, configuration: configuration(props) });
    if (network.functionsInVpc) this.resource.node.addDependency(network.reachable);
  }

  private makeFunction(): lambda.Function {
    return new WorkPoolFunction(this, 'Function', {
      description: `Keeps the Prefect work pool of ${this.node.scope!.node.path}`,
      // As long as the flow runs of a stack that is deleted may take to end; an API that can't be reached is given up before.
      timeout: Duration.minutes(15),
      memorySize: 256,
      ...apiFunction(this, {
        ...this.props,
        purpose: 'Keeps the Prefect work pool as the stack describes it',
      }),
    });
  }
}

function configuration({ api, workPool, workerType, options, template }: ManagedWorkPoolProps): WorkPoolConfiguration {
  return {
    api: apiLocation(api),
    name: workPool.name,
    type: workerType,
    concurrencyLimit: options.concurrencyLimit,
    // Field by field, because languages differ in the order in which they hand over a struct.
    queues: (options.workQueues ?? []).map(queue => ({ name: queue.name, priority: queue.priority, concurrencyLimit: queue.concurrencyLimit })),
    template: template as TemplateValues,
    lostAfterSeconds: LOST_AFTER_SECONDS,
    deleteOnRemoval: options.deleteOnRemoval ?? false,
  };
}
