import { ofType, pathOf, targetOf } from '../template';
import type { Template } from '../types';
import { another, container, editReference, editText, first, forgetDependency, Mutant, NotApplicable } from './mutant';

const POOL = /^Custom::.*WorkPool/i;
const FUNCTION = /^AWS::(Lambda::Function|Events::Rule)$/;
const end = (key: string) => new RegExp(`"${key}":(\\["|")$`);
const otherOf = (template: Template, where?: (properties: any, path: string) => boolean) => (reference: any) => {
  const [id, attribute] = reference.Ref ? [reference.Ref] : reference['Fn::GetAtt'];
  return attribute ? { 'Fn::GetAtt': [another(template, id, where), attribute] } : { Ref: another(template, id, where) };
};
const name = (reference: any) => ({ Ref: targetOfReference(reference) });
const targetOfReference = (reference: any) => reference.Ref ?? reference['Fn::GetAtt'][0];
const worker = (template: Template, variable: RegExp) => {
  for (const [, { Properties = {} }] of ofType(template, 'AWS::ECS::TaskDefinition')) {
    const found = Properties.ContainerDefinitions.flatMap(({ Environment = [] }: any) => Environment).find(({ Name }: any) => variable.test(Name));
    if (found) return found;
  }
  throw new NotApplicable(`No container has ${variable}.`);
};
/** A network of the user's own beside the worker's. */
const elsewhere = (template: Template, type: string, properties: Record<string, unknown> = {}) => {
  template.Resources.MutantVpc = { Type: 'AWS::EC2::VPC', Properties: { CidrBlock: '10.99.0.0/16' } };
  template.Resources.MutantPlace = { Type: type, Properties: { VpcId: { Ref: 'MutantVpc' }, ...properties } };
};

/** Names and ARNs in JSON, which are right for CloudFormation whatever they say. */
export const settingsMutants: Mutant[] = [
  { name: 'function told of a service by its ARN', caughtBy: 'settings', edit: (template) => editReference(template, FUNCTION, end('service'), name) },
  { name: 'function told of a cluster by its name', caughtBy: 'settings', edit: (template) => editReference(template, FUNCTION, end('cluster'), name) },
  { name: 'function told of another pool', caughtBy: 'settings', edit: (template) => editText(template, FUNCTION, /"workPool":"\w+/, '"workPool":"other') },
  { name: 'function that takes the worker for another type', caughtBy: 'settings', edit: (template) => editText(template, FUNCTION, /"type":"ecs"/, '"type":"process"') },
  { name: 'function that asks another server', caughtBy: 'settings', edit: (template) => editText(template, FUNCTION, /api\.prefect\.cloud\/api\/accounts\/1/, 'api.prefect.cloud/api/accounts/2') },
  { name: 'function that counts with another limit than the worker has', caughtBy: 'settings', edit: (template) => editText(template, FUNCTION, /"flowRunLimit":\d+/, '"flowRunLimit":70') },
  { name: 'function told of the service of another worker', caughtBy: 'settings', edit: (template) => editReference(template, FUNCTION, end('service'), otherOf(template)) },
  { name: 'function with two credentials confused', caughtBy: 'settings', edit: (template) => editReference(template, FUNCTION, end('PREFECT_CLIENT_CUSTOM_HEADERS'), otherOf(template)) },
  { name: 'settings that are not JSON', caughtBy: 'settings', edit: (template) => editText(template, FUNCTION, /^"\}/, '"},') },
  { name: 'flow runs in another cluster', caughtBy: 'settings', edit: (template) => editReference(template, POOL, end('cluster'), () => 'arn:aws:ecs:us-east-1:123456789012:cluster/other') },
  { name: 'flow runs with the role of what starts them', caughtBy: 'settings', edit: (template) => editReference(template, POOL, end('(task_role_arn|taskRoleArn)'), otherOf(template, (_, path) => /FlowRunExecutionRole/.test(path))) },
  {
    name: 'flow runs in a security group of another VPC',
    caughtBy: 'settings',
    edit: (template) => { elsewhere(template, 'AWS::EC2::SecurityGroup', { GroupDescription: 'Mutant' }); editReference(template, POOL, end('securityGroups'), () => ({ 'Fn::GetAtt': ['MutantPlace', 'GroupId'] })); },
  },
  {
    name: 'flow runs in a subnet of another VPC',
    caughtBy: 'settings',
    edit: (template) => { elsewhere(template, 'AWS::EC2::Subnet', { CidrBlock: '10.99.0.0/24' }); editReference(template, POOL, end('subnets'), () => ({ Ref: 'MutantPlace' })); },
  },
  { name: 'flow runs in a public subnet', caughtBy: 'settings', edit: (template) => editReference(template, POOL, end('subnets'), otherOf(template, (_, path) => /PublicSubnet/.test(path))) },
  { name: 'flow runs in one subnet twice', caughtBy: 'settings', edit: (template) => editReference(template, POOL, end('subnets'), otherOf(template, (_, path) => /PrivateSubnet2/.test(path))) },
  { name: 'flow runs without their logs', caughtBy: 'settings', edit: (template) => editText(template, POOL, /"configure_cloudwatch_logs":true/, '"configure_cloudwatch_logs":false') },
  { name: 'flow runs whose logs go to another region', caughtBy: 'settings', edit: (template) => editReference(template, POOL, end('awslogs-region'), () => 'eu-west-9') },
  { name: 'flow runs of another size than Fargate has', caughtBy: 'settings', edit: (template) => editText(template, POOL, /"memory":"?\d+/, '"memory":300') },
  { name: 'flow runs that send their spans elsewhere', caughtBy: 'settings', edit: (template) => editText(template, POOL, /("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT":"[^"]*)traces/, '$1spans') },
  { name: 'queue by its URL where its name is asked for', caughtBy: 'settings', edit: (template) => { const variable = worker(template, /SQS_QUEUE_NAME/); variable.Value = name(variable.Value); } },
  {
    name: 'flow runs that write to the log group of a function',
    caughtBy: 'needs',
    edit: (template) => editReference(template, POOL, end('awslogs-group'), otherOf(template, (_, path) => !/Task\/Logs/.test(path))),
  },
  { name: 'flow runs with a role that the worker may not pass', caughtBy: 'needs', edit: (template) => editReference(template, POOL, end('(execution_role_arn|executionRoleArn)'), otherOf(template, (_, path) => /Identity\/ExecutionRole/.test(path))) },
  { name: 'flow runs of a family that the worker may not register', caughtBy: 'needs', edit: (template) => editText(template, POOL, /"family":"prefect-/, '"family":"other-') },
  { name: 'worker that reads the queue of dead letters', caughtBy: 'needs', edit: (template) => { const variable = worker(template, /SQS_QUEUE_NAME/); variable.Value = otherOf(template)(variable.Value); } },
  {
    name: 'function with the log group of another',
    caughtBy: 'ownership',
    edit: (template) => {
      const [own, { Properties }] = first(template, 'AWS::Lambda::Function', ({ LoggingConfig }) => LoggingConfig?.LogGroup);
      Properties.LoggingConfig.LogGroup = first(template, 'AWS::Lambda::Function', (other, path) => other.LoggingConfig?.LogGroup && path !== pathOf(template, own))[1].Properties.LoggingConfig.LogGroup;
    },
  },
  {
    name: 'function with the role of another',
    caughtBy: 'ownership',
    edit: (template) => {
      const [own, { Properties }] = first(template, 'AWS::Lambda::Function', ({ LoggingConfig }) => LoggingConfig);
      Properties.Role = first(template, 'AWS::Lambda::Function', (other, path) => other.LoggingConfig && path !== pathOf(template, own))[1].Properties.Role;
    },
  },
  { name: 'task that logs where a function does', caughtBy: 'ownership', edit: (template) => { container(template).LogConfiguration.Options['awslogs-group'] = first(template, 'AWS::Lambda::Function', ({ LoggingConfig }) => LoggingConfig?.LogGroup)[1].Properties.LoggingConfig.LogGroup; } },
  {
    name: 'service in the security group of its neighbour',
    caughtBy: 'ownership',
    edit: (template) => {
      const groups = first(template, 'AWS::ECS::Service')[1].Properties.NetworkConfiguration.AwsvpcConfiguration.SecurityGroups;
      if (!targetOf(template, groups[0])) throw new NotApplicable('The security group is imported.');
      groups[0] = otherOf(template, (_, path) => /FlowRunSecurityGroup/.test(path))(groups[0]);
    },
  },
  { name: 'role that nothing has', caughtBy: 'ownership', edit: (template) => { template.Resources.MutantRole = structuredClone(first(template, 'AWS::IAM::Role')[1]); } },
  {
    name: 'first flow runs before their role may read the credential',
    caughtBy: 'dependencies',
    edit: (template) => {
      const [id] = first(template, 'AWS::IAM::Policy', (_, path) => /FlowRunExecutionRole/.test(path));
      first(template, POOL);
      forgetDependency(template, [id]);
    },
  },
  { name: 'variable that Prefect doesn\'t read', caughtBy: 'prefect', edit: (template) => { worker(template, /^PREFECT_CLIENT_RETRY_EXTRA_CODES$/).Name = 'PREFECT_CLIENT_RETRY_EXTRA_CODE'; } },
  { name: 'value that Prefect doesn\'t take', caughtBy: 'prefect', edit: (template) => { worker(template, /^PREFECT_WORKER_WEBSERVER_PORT$/).Value = 'http'; } },
  { name: 'variable of flow runs that Prefect doesn\'t read', caughtBy: 'prefect', edit: (template) => editText(template, POOL, /"PREFECT_CLIENT_MAX_RETRIES"/, '"PREFECT_CLIENT_MAX_RETRY"') },
  { name: 'option that Prefect\'s worker doesn\'t have', caughtBy: 'prefect', edit: (template) => editText(template, 'AWS::ECS::TaskDefinition', /^--with-healthcheck$/, '--with-health-check') },
];
