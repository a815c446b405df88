import type { CdkCustomResourceEvent } from 'aws-lambda';
import type { WorkPoolConfiguration } from '../../src/work-pool/configuration';

type Overrides = Partial<Omit<WorkPoolConfiguration, 'api'>> & { api?: Partial<WorkPoolConfiguration['api']> };

/** What the construct tells the function of a pool of the type PROCESS without secrets, or as the overrides say. */
export function configuration(url: string, { api, ...others }: Overrides = {}): WorkPoolConfiguration {
  return {
    api: { url, isCloud: false, secrets: {}, ...api },
    name: 'etl',
    type: 'process',
    queues: [],
    template: { variables: {}, environment: {} },
    lostAfterSeconds: 900,
    deleteOnRemoval: false,
    ...others,
  };
}

/** The event of CloudFormation for a configuration, and for the one before it. */
export function event(
  type: 'Create' | 'Update' | 'Delete', wanted: WorkPoolConfiguration, before?: WorkPoolConfiguration, logicalId = 'WorkPool',
): CdkCustomResourceEvent {
  return {
    StackId: 'arn:aws:cloudformation:us-east-1:123456789012:stack/etl/1',
    LogicalResourceId: logicalId,
    RequestType: type,
    ResourceProperties: { ServiceToken: 'arn:aws:lambda:us-east-1:123456789012:function:pool', Configuration: JSON.stringify(wanted) },
    ...(type === 'Create' ? {} : { PhysicalResourceId: (before ?? wanted).name }),
    ...(type === 'Update' ? { OldResourceProperties: { Configuration: JSON.stringify(before) } } : {}),
  } as unknown as CdkCustomResourceEvent;
}
