import { App, aws_ec2 as ec2, aws_ecs as ecs, aws_secretsmanager as secretsmanager, cx_api as cxapi, Environment, Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { PrefectApi, PrefectFargateWorker, PrefectFargateWorkerProps, SelfHostedApiOptions, WorkPool } from '../../src';

export const ACCOUNT_ID = '11111111-2222-3333-4444-555555555555';
export const WORKSPACE_ID = '66666666-7777-8888-9999-000000000000';

type Props = Partial<PrefectFargateWorkerProps>;

/** A stack in an app of its own, without what only the CLI needs. */
export function newStack(env?: Environment, id = 'Stack'): Stack {
  const context = { [cxapi.DISABLE_ASSET_STAGING_CONTEXT]: true };
  return new Stack(new App({ analyticsReporting: false, treeMetadata: false, context }), id, { env });
}

/** Prefect Cloud, with its key in a secret of the stack. */
export function cloud(stack: Stack, field?: string): PrefectApi {
  return PrefectApi.cloud({ accountId: ACCOUNT_ID, workspaceId: WORKSPACE_ID, apiKey: newSecret(stack, 'ApiKey', field) });
}

/** A secret of the stack in AWS Secrets Manager, or a field of it. */
export function newSecret(stack: Stack, id: string, field?: string): ecs.Secret {
  const secret = stack.node.tryFindChild(id) as secretsmanager.ISecret ?? new secretsmanager.Secret(stack, id);
  return ecs.Secret.fromSecretsManager(secret, field);
}

/** A server inside the network that asks for an authentication string and headers, and has a certificate of its own. */
export function selfHosted(stack: Stack, options: Partial<SelfHostedApiOptions> = {}): PrefectApi {
  return PrefectApi.selfHosted({
    url: 'https://prefect.example.com:4200/api',
    authString: newSecret(stack, 'AuthString', 'auth'),
    customHeaders: newSecret(stack, 'Headers'),
    tlsCaCertificate: CERTIFICATE,
    privateNetwork: true,
    ...options,
  });
}

export const CERTIFICATE = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';

/** A worker of Prefect Cloud's managed pool `etl`, or as the props say; for a server inside the network, in a VPC that reaches it. */
export function addWorker(stack: Stack, props: Props | ((stack: Stack) => Props) = {}, id = 'Worker'): PrefectFargateWorker {
  const given = typeof props === 'function' ? props(stack) : props;
  const { api = cloud(stack) } = given;
  const workPool = 'workPool' in given ? given.workPool! : WorkPool.managed('etl');
  const bringsVpc = api._inNetwork && workPool?._managed && !given.cluster;
  return new PrefectFargateWorker(stack, id, { ...given, api, workPool, vpc: given.vpc ?? (bringsVpc ? connectedVpc(stack) : undefined) });
}

/** A VPC of the app's that reaches a server inside the network. */
export function connectedVpc(stack: Stack, natGateways = 1): ec2.Vpc {
  return stack.node.tryFindChild('Connected') as ec2.Vpc ?? new ec2.Vpc(stack, 'Connected', {
    maxAzs: 2,
    natGateways,
    subnetConfiguration: natGateways > 0 ? undefined : [{ name: 'Closed', subnetType: ec2.SubnetType.PRIVATE_ISOLATED }],
  });
}

/** The template of a stack with one such worker. */
export function templateOf(props: Props | ((stack: Stack) => Props) = {}, env?: Environment): Template {
  const stack = newStack(env);
  addWorker(stack, props);
  return Template.fromStack(stack);
}

/** A VPC of the user's own, in two zones. */
export function importedVpc(stack: Stack, attributes: Partial<ec2.VpcAttributes> = { privateSubnetIds: ['subnet-private1', 'subnet-private2'] }, id = 'Vpc'): ec2.IVpc {
  return ec2.Vpc.fromVpcAttributes(stack, id, {
    vpcId: 'vpc-0a1b2c3d', availabilityZones: ['us-east-1a', 'us-east-1b'], vpcCidrBlock: '10.20.0.0/16', ...attributes,
  });
}

/** The texts of the stack's warnings with this id. */
export function warnings(stack: Stack, id: string): string[] {
  return Annotations.fromStack(stack).findWarning('*', Match.stringLikeRegexp(id)).map(({ entry }) => String(entry.data));
}

/** Properties of the resources of a type. */
export function resources(template: Template, type: string): Record<string, any>[] {
  return Object.values(template.findResources(type));
}

/** The one resource of a type whose logical id matches. */
export function resource(template: Template, type: string, id = /./): { logicalId: string; Properties: any; DependsOn?: string[] } {
  const found = Object.entries(template.findResources(type)).filter(([logicalId]) => id.test(logicalId));
  if (found.length !== 1) throw new Error(`${found.length} resources ${type} match ${id}: ${found.map(([logicalId]) => logicalId)}`);
  return { logicalId: found[0][0], ...found[0][1] } as any;
}

/** The logical id of the workers' task definition; that of flow runs is the other one. */
export const WORKER_TASK = /(?<!FlowRun)TaskTaskDefinition/;

/** The worker's container. */
export function container(template: Template, name = 'worker'): any {
  return resource(template, 'AWS::ECS::TaskDefinition', WORKER_TASK).Properties.ContainerDefinitions.find((candidate: any) => candidate.Name === name);
}

/** The statements of a role's policies. */
export function statementsOf(template: Template, role: RegExp): any[] {
  const { logicalId } = resource(template, 'AWS::IAM::Role', role);
  return resources(template, 'AWS::IAM::Policy')
    .filter(({ Properties }) => Properties.Roles.some((attached: any) => attached.Ref === logicalId))
    .flatMap(({ Properties }) => Properties.PolicyDocument.Statement);
}

/** Intrinsic functions as short text, so that a value with references can be read: `arn:{AWS::Partition}:ecs`. */
export function text(value: any): any {
  if (Array.isArray(value)) return value.map(text);
  if (typeof value !== 'object' || value === null) return value;
  if (value.Ref) return `{${value.Ref}}`;
  if (value['Fn::GetAtt']) return `{${value['Fn::GetAtt'].join('.')}}`;
  if (value['Fn::Join']) return value['Fn::Join'][1].map(text).join(value['Fn::Join'][0]);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, text(inner)]));
}

/** What the work pool's custom resource is told, with references as short text. */
export function configurationOf(template: Template): any {
  return JSON.parse(text(resource(template, 'Custom::PrefectWorkPool').Properties.Configuration));
}

/** What a function is told of a worker by the rule that calls it, with references as short text. */
export function settingsOf(template: Template, rule: RegExp): any {
  const [{ Input }] = resource(template, 'AWS::Events::Rule', rule).Properties.Targets;
  return JSON.parse(text(Input));
}

/** A container of the flow runs' task definition, in the ECS API's words; the flow run's own where no name is given. */
export function flowRunContainer(template: Template, name = '{{ container_name }}'): any {
  return configurationOf(template).template.taskDefinition.containerDefinitions.find((candidate: any) => candidate.name === name);
}
