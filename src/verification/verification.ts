import { aws_ecs as ecs, CustomResource, Names, Stack } from 'aws-cdk-lib';
import { Construct, IDependable } from 'constructs';
import { VERIFICATION, VerificationConfiguration } from './configuration';
import { Verifier } from './verifier';
import { ApiFunctions } from '../functions/api-functions';
import { FlowRunTask } from '../task/flow-run-task';
import { PoolProvider, PoolProviderProps } from '../work-pool/pool-provider';
import { ServedWorkPool } from '../work-pool/served-work-pool';

export interface VerificationProps extends PoolProviderProps {
  readonly functions: ApiFunctions;
  readonly service: ecs.FargateService;
  readonly flowRunTask?: FlowRunTask;
  readonly served: ServedWorkPool;
  readonly workPoolName: string;
  readonly workQueues?: readonly string[];
  /** What has to be there before a flow run finds a worker. */
  readonly after: readonly IDependable[];
}

/**
 * Proves at the end of a deployment that flow runs run: one goes through pool, worker, image, roles and network, and the deployment
 * fails, and rolls back, where it doesn't complete.
 */
export class Verification extends Construct {
  /** What was found, for an output. */
  public readonly result: string;

  constructor(scope: Construct, id: string, props: VerificationProps) {
    super(scope, id);
    const { functions, service, served, flowRunTask } = props;
    const provider = PoolProvider.of(this, props);
    const verifier = functions.one('Verification', (shared, one) => new Verifier(shared, one, provider)).lookAt(service.cluster);
    const configuration: VerificationConfiguration = {
      workPool: props.workPoolName,
      workQueue: props.workQueues?.[0],
      worker: Names.uniqueResourceName(scope, { maxLength: 128 }),
      cluster: service.cluster.clusterArn,
      serviceName: service.serviceName,
    };
    const definitions = [service.taskDefinition, ...flowRunTask ? [flowRunTask.taskDefinition] : []];
    const resource = new CustomResource(this, 'Resource', {
      resourceType: VERIFICATION,
      serviceToken: provider.serviceToken,
      properties: {
        Function: verifier.function.functionArn,
        Configuration: Stack.of(this).toJsonString(configuration),
        // CloudFormation asks again where one of these has changed.
        Verified: [...definitions.map(({ taskDefinitionArn }) => taskDefinitionArn), ...served.fingerprint ? [served.fingerprint] : []],
      },
    });
    resource.node.addDependency(verifier.callable, service, ...props.after);
    this.result = resource.getAttString('Result');
  }
}
