import { CustomResource, IResolvable, Stack } from 'aws-cdk-lib';
import { Construct, IDependable } from 'constructs';
import { ApiFunctions } from '../functions/api-functions';
import { Network } from '../network/network';
import { PrefectApi } from '../prefect-api';
import { apiLocation } from '../private/api-function';
import { ResultStorage } from '../results/result-storage';
import { ManagedWorkPoolOptions, WorkPool } from '../work-pool';
import { WorkerType } from '../worker-type';
import { TemplateValues, WorkPoolConfiguration } from './configuration';
import { DriftCheck } from './drift-check';
import { PoolFunction } from './pool-function';
import { PoolProvider, PoolProviderProps } from './pool-provider';

/**
 * Raised with what the function does or answers: CloudFormation calls it only where a property has changed, and takes attributes
 * from its last answer, which may be that of an earlier release.
 */
const REVISION = 3;

/**
 * Seconds without any event of a running flow run after which it counts as crashed. A run lives through an outage of the
 * API, so this is longer than an outage usually lasts.
 */
const LOST_AFTER_SECONDS = 900;

export interface ManagedWorkPoolProps extends PoolProviderProps {
  readonly api: PrefectApi;
  readonly functions: ApiFunctions;
  readonly network: Network;
  /** The construct's unique name, as metrics have it. */
  readonly worker: string;
  readonly workPool: WorkPool;
  readonly options: ManagedWorkPoolOptions;
  readonly workerType: WorkerType;
  readonly template: TemplateValues | IResolvable;
  readonly results?: ResultStorage;
}

/** A work pool as a resource of the stack: made and kept up to date over the Prefect API. */
export class ManagedWorkPool extends Construct {
  public readonly resource: CustomResource;
  /** Whom it asks, with other resources that ask for something of the pool. */
  public readonly pools: PoolFunction;
  private readonly provider: PoolProvider;

  constructor(scope: Construct, id: string, props: ManagedWorkPoolProps) {
    super(scope, id);
    const { functions, network } = props;
    this.provider = PoolProvider.of(this, props);
    this.pools = functions.one('WorkPool', (shared, one) => new PoolFunction(shared, one, this.provider));
    // As JSON, because CloudFormation turns every number and boolean of a custom resource into a string.
    // Not "Resource": one of that id has asked another function, which CloudFormation lets no resource change. The pool itself is taken over.
    this.resource = this.ask('Custom::PrefectWorkPool', new Construct(this, 'Kept'), Stack.of(this).toJsonString(configuration(props)), { Revision: REVISION });
    new DriftCheck(this, 'DriftCheck', { worker: props.worker, pools: this.pools, resource: this.resource, configuration: configuration(props) });
    if (network.functionsInVpc) this.resource.node.addDependency(network.connectivity);
  }

  /** A resource by which CloudFormation asks the pool's function for something. */
  public ask(resourceType: string, scope: Construct, Configuration: string, more: Record<string, unknown> = {}): CustomResource {
    const resource = new CustomResource(scope, 'Resource', {
      resourceType,
      serviceToken: this.provider.serviceToken,
      properties: { Function: this.pools.function.functionArn, Configuration, ...more },
    });
    resource.node.addDependency(this.pools.callable, this.provider.connectivity);
    return resource;
  }

  /** That the pool is there, for what should not be begun without it. */
  public get answering(): IDependable {
    return this.provider.answering(this.resource);
  }

  /** Where CloudFormation's requests are handled, beside the function. */
  public get shared(): Construct {
    return this.provider;
  }
}

function configuration({ api, workPool, workerType, options, template, results }: ManagedWorkPoolProps): WorkPoolConfiguration {
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
    results: results && { block: results.block, bucket: results.bucketName, folder: results.folder },
  };
}
