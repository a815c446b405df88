import { aws_iam as iam, aws_lambda as lambda, aws_logs as logs, custom_resources as cr, aws_kms as kms, CustomResource, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { Network } from '../network/network';
import { PrefectApi } from '../prefect-api';
import { ManagedWorkPoolOptions, WorkPool } from '../work-pool';
import { WorkerType } from '../worker-type';
import { TemplateValues, WorkPoolConfiguration } from './configuration';
import { WorkPoolFunction } from './work-pool-function';

export interface ManagedWorkPoolProps {
  readonly api: PrefectApi;
  readonly network: Network;
  readonly workPool: WorkPool;
  readonly options: ManagedWorkPoolOptions;
  readonly workerType: WorkerType;
  readonly template: TemplateValues;
  readonly encryptionKey: kms.IKey;
  readonly logRetention: logs.RetentionDays;
}

/** A work pool as a resource of the stack: made and kept up to date over the Prefect API. */
export class ManagedWorkPool extends Construct {
  public readonly resource: CustomResource;

  constructor(scope: Construct, id: string, private readonly props: ManagedWorkPoolProps) {
    super(scope, id);
    const { api, network } = props;

    const provider = new cr.Provider(this, 'Provider', {
      onEventHandler: this.makeFunction(),
      logGroup: this.logGroup('ProviderLogs'),
    });
    this.resource = new CustomResource(this, 'Resource', {
      resourceType: 'Custom::PrefectWorkPool',
      serviceToken: provider.serviceToken,
      properties: {
        // As JSON, because CloudFormation turns every number and boolean of a custom resource into a string.
        Configuration: Stack.of(this).toJsonString(configuration(props)),
      },
    });
    if (api._privateNetwork) this.resource.node.addDependency(network.reachable);
  }

  private makeFunction(): lambda.Function {
    const { api, network } = this.props;
    const logGroup = this.logGroup('Logs');
    const role = new iam.Role(this, 'Role', {
      description: 'Keeps the Prefect work pool as the stack describes it',
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
      // Lambda needs EC2's network interface actions on everything to attach a function to a VPC.
      managedPolicies: api._privateNetwork ? [iam.ManagedPolicy.fromAwsManagedPolicyName('service-role/AWSLambdaENIManagementAccess')] : [],
    });
    logGroup.grantWrite(role);
    const fn = new WorkPoolFunction(this, 'Function', {
      description: `Keeps the Prefect work pool of ${this.node.scope!.node.path}`,
      role,
      logGroup,
      // The deployment fails within a minute when the API can't be reached.
      timeout: Duration.seconds(50),
      memorySize: 256,
      ...(api._privateNetwork && {
        vpc: network.vpc,
        vpcSubnets: network.subnetSelection,
        securityGroups: [network.securityGroup('WorkPoolSecurityGroup', 'Work pool function')],
        allowPublicSubnet: network.assignPublicIp,
      }),
    });
    Object.values(api._secrets).forEach(secret => secret.grantRead(fn));
    return fn;
  }

  private logGroup(id: string): logs.LogGroup {
    return new logs.LogGroup(this, id, {
      encryptionKey: this.props.encryptionKey,
      retention: this.props.logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
    });
  }
}

function configuration({ api, workPool, workerType, options, template }: ManagedWorkPoolProps): WorkPoolConfiguration {
  return {
    api: {
      url: api.url,
      isCloud: api.isCloud,
      tlsCaCertificate: api._tlsCaCertificate,
      secrets: Object.fromEntries(Object.entries(api._secrets).map(([variable, secret]) => [variable, secret.arn])),
    },
    name: workPool.name,
    type: workerType,
    concurrencyLimit: options.concurrencyLimit,
    queues: options.queues ?? [],
    template,
    deleteOnRemoval: options.deleteOnRemoval ?? false,
  };
}
