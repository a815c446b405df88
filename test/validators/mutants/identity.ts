import { ofType, targetOf } from '../template';
import type { Template } from '../types';
import { container, first, forgetDependency, Mutant, NotApplicable, statementFor } from './mutant';

/** Takes the statements that a service is the principal of out of the first key's policy that has one. */
const silenceKey = (template: Template, service: string) => {
  const [, key] = first(template, 'AWS::KMS::Key', ({ KeyPolicy }) => JSON.stringify(KeyPolicy).includes(service));
  const policy = key.Properties.KeyPolicy;
  policy.Statement = policy.Statement.filter((statement: any) => !JSON.stringify(statement.Principal).includes(service));
};

const condition = (template: Template, action: string) => statementFor(template, action).statement.Condition;
const trust = (template: Template, service: string) => first(template, 'AWS::IAM::Role', ({ AssumeRolePolicyDocument }) => JSON.stringify(AssumeRolePolicyDocument).includes(service))[1].Properties.AssumeRolePolicyDocument.Statement[0];
const variables = (template: Template) => first(template, 'AWS::Lambda::Function', ({ Environment }) => Environment)[1].Properties.Environment.Variables;
const archivePolicy = (template: Template) => first(template, 'AWS::S3::BucketPolicy', (_, path) => path.includes('/LogArchive/'))[1].Properties.PolicyDocument.Statement[0];
/** The statement of flow runs' role that has this text. */
const ofResults = (template: Template, text: string) => first(template, 'AWS::IAM::Policy', ({ PolicyDocument }) => JSON.stringify(PolicyDocument).includes('prefect-results/'))[1]
  .Properties.PolicyDocument.Statement.find((statement: any) => JSON.stringify(statement).includes(text));

export const identityMutants: Mutant[] = [
  {
    name: 'function that may not write its logs',
    caughtBy: 'needs',
    edit: (template) => {
      const [, { Properties }] = first(template, 'AWS::Lambda::Function', ({ LoggingConfig }) => LoggingConfig?.LogGroup && !LoggingConfig.LogFormat);
      const role = targetOf(template, Properties.Role);
      ofType(template, 'AWS::IAM::Policy').filter(([, policy]) => targetOf(template, policy.Properties!.Roles[0]) === role)
        .forEach(([, policy]) => policy.Properties!.PolicyDocument.Statement.filter(({ Action }: any) => JSON.stringify(Action).includes('logs:PutLogEvents')).forEach((statement: any) => { statement.Resource = { 'Fn::Sub': 'arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:other:*' }; }));
    },
  },
  { name: 'worker that may start flow runs in another cluster only', caughtBy: 'needs', edit: (template) => { condition(template, 'ecs:RunTask').ArnEquals['ecs:cluster'] = { 'Fn::Sub': 'arn:${AWS::Partition}:ecs:${AWS::Region}:${AWS::AccountId}:cluster/other' }; } },
  { name: 'metrics in another namespace than the alarms\'', caughtBy: 'needs', edit: (template) => { condition(template, 'cloudwatch:PutMetricData').StringEquals['cloudwatch:namespace'] = 'PrefectFargateWorkers'; } },
  { name: 'role that the function can\'t assume', caughtBy: 'needs', edit: (template) => { trust(template, 'lambda.amazonaws.com').Principal.Service = 'ecs-tasks.amazonaws.com'; } },
  { name: 'role that ECS assumes for others', caughtBy: 'needs', edit: (template) => { trust(template, 'ecs-tasks').Condition.StringEquals['aws:SourceAccount'] = { Ref: 'AWS::StackName' }; } },
  { name: 'policy read by older rules', caughtBy: 'forms', edit: (template) => { first(template, 'AWS::IAM::Policy')[1].Properties.PolicyDocument.Version = '2008-10-17'; } },
  { name: 'policy statement about nobody', caughtBy: 'forms', edit: (template) => delete first(template, 'AWS::SNS::TopicPolicy')[1].Properties.PolicyDocument.Statement[0].Principal },
  { name: 'results that flow runs may not write', caughtBy: 'needs', edit: (template) => { ofResults(template, 'prefect-results/').Action = ['s3:GetObject']; } },
  { name: 'results whose key flow runs may not use', caughtBy: 'needs', edit: (template) => { ofResults(template, 'kms:ViaService').Condition.StringEquals['kms:ViaService'] = 'sqs.us-east-1.amazonaws.com'; } },
  { name: 'archive that its writer can\'t reach over TLS', caughtBy: 'needs', edit: (template) => { archivePolicy(template).Condition.Bool['aws:SecureTransport'] = 'true'; } },
  { name: 'archive that takes plain HTTP', caughtBy: 'refusals', edit: (template) => { archivePolicy(template).Effect = 'Allow'; } },
  { name: 'key whose use AWS services can\'t hand on', caughtBy: 'needs', edit: (template) => { first(template, 'AWS::KMS::Key')[1].Properties.KeyPolicy.Statement.find(({ Effect }: any) => Effect === 'Deny').Condition.BoolIfExists['kms:GrantIsForAWSResource'] = 'true'; } },
  {
    name: 'key for other log groups',
    caughtBy: 'refusals',
    edit: (template) => {
      const [, key] = first(template, 'AWS::KMS::Key', ({ KeyPolicy }) => JSON.stringify(KeyPolicy).includes('logs:arn'));
      const statement = key.Properties.KeyPolicy.Statement.find((candidate: any) => JSON.stringify(candidate).includes('logs:arn'));
      statement.Condition = { ArnLike: { 'kms:EncryptionContext:aws:logs:arn': 'arn:*:logs:*:*:*' } };
    },
  },
  { name: 'worker that starts tasks in every cluster', caughtBy: 'refusals', edit: (template) => delete statementFor(template, 'ecs:RunTask').statement.Condition },
  { name: 'worker that tags every task', caughtBy: 'refusals', edit: (template) => delete statementFor(template, 'ecs:TagResource').statement.Condition },
  {
    name: 'queue that any rule of the account fills',
    caughtBy: 'refusals',
    edit: (template) => {
      const statement = ofType(template, 'AWS::SQS::QueuePolicy').flatMap(([, { Properties }]) => Properties!.PolicyDocument.Statement).find((candidate: any) => candidate.Effect === 'Allow');
      if (!statement) throw new NotApplicable('No queue takes events.');
      statement.Condition = { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } };
    },
  },
  {
    name: 'role with a secret that its function is not told of',
    caughtBy: 'grants',
    edit: (template) => {
      template.Resources.MutantSecret = { Type: 'AWS::SecretsManager::Secret', Properties: {} };
      const { statement } = statementFor(template, 'secretsmanager:GetSecretValue');
      statement.Resource = [statement.Resource, { Ref: 'MutantSecret' }].flat();
    },
  },
  { name: 'resource that the action is never about', caughtBy: 'grants', edit: (template) => { statementFor(template, 'ecs:RunTask').statement.Resource = { 'Fn::Sub': 'arn:${AWS::Partition}:ecs:${AWS::Region}:${AWS::AccountId}:service/prefect-*' }; } },
  { name: 'condition that the request doesn\'t have', caughtBy: 'grants', edit: (template) => { statementFor(template, 'logs:PutLogEvents').statement.Condition = { StringEquals: { 'ecs:cluster': 'x' } }; } },
  { name: 'policy of no role', caughtBy: 'grants', edit: (template) => { first(template, 'AWS::IAM::Policy')[1].Properties.Roles = []; } },
  { name: 'key that its account can\'t administer', caughtBy: 'key-policies', edit: (template) => silenceKey(template, ':root') },
  { name: 'secret by a dynamic reference, wherever it stands', caughtBy: 'secrets', edit: (template) => { first(template, 'AWS::ECS::Service')[1].Properties.Tags = [{ Key: 'note', Value: '{{resolve:secretsmanager:prefect:SecretString}}' }]; } },
  { name: 'secret by a dynamic reference to a resource', caughtBy: 'secrets', edit: (template) => { first(template, 'AWS::CloudWatch::Alarm')[1].Properties.AlarmDescription = { 'Fn::Join': ['', ['{{resolve:secretsmanager:', { Ref: first(template, 'AWS::SecretsManager::Secret')[0] }, ':SecretString:::}}']] }; } },
  { name: 'credential in a function\'s settings', caughtBy: 'secrets', edit: (template) => { variables(template).EXTRA = '{"api":{"secrets":{"PREFECT_API_KEY":"not-a-reference"}}}'; } },
  { name: 'header in a function\'s settings', caughtBy: 'secrets', edit: (template) => { variables(template).EXTRA = '{"headers":{"Authorization":"abc"}}'; } },
  { name: 'password in an address', caughtBy: 'secrets', edit: (template) => { variables(template).PROXY = 'http://user:secret@proxy.example.com:3128'; } },
  { name: 'key that CloudWatch Logs may not use', caughtBy: 'key-policies', edit: (template) => silenceKey(template, 'logs.') },
  { name: 'key whose use anybody may hand on', caughtBy: 'control-tower', edit: (template) => silenceKey(template, '"*"') },
  { name: 'log group without a key', caughtBy: 'checkov', edit: (template) => delete first(template, 'AWS::Logs::LogGroup')[1].Properties.KmsKeyId },
  { name: 'key that EventBridge may not use', caughtBy: 'key-policies', edit: (template) => silenceKey(template, 'events.') },
  {
    name: 'key that CloudWatch Logs may use for other groups only',
    caughtBy: 'key-policies',
    edit: (template) => {
      const [, key] = first(template, 'AWS::KMS::Key', ({ KeyPolicy }) => JSON.stringify(KeyPolicy).includes('logs:arn'));
      const statement = key.Properties.KeyPolicy.Statement.find((candidate: any) => JSON.stringify(candidate).includes('logs:arn'));
      statement.Condition = { ArnLike: { 'kms:EncryptionContext:aws:logs:arn': { 'Fn::Sub': 'arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/other/*' } } };
    },
  },
  {
    name: 'queue with the key of SQS that EventBridge cannot use',
    caughtBy: 'key-policies',
    edit: (template) => {
      const [, rule] = first(template, 'AWS::Events::Rule', ({ Targets }) => Targets);
      const queue = targetOf(template, rule.Properties.Targets[0].Arn);
      template.Resources[queue!].Properties!.KmsMasterKeyId = 'alias/aws/sqs';
    },
  },
  {
    name: 'alarm topic whose key CloudWatch may not use',
    caughtBy: 'key-policies',
    edit: (template) => {
      const [key] = first(template, 'AWS::KMS::Key', ({ KeyPolicy }) => !JSON.stringify(KeyPolicy).includes('cloudwatch.'));
      template.Resources.Topic = { Type: 'AWS::SNS::Topic', Properties: { KmsMasterKeyId: { 'Fn::GetAtt': [key, 'Arn'] } } };
      template.Resources.Alarm = {
        Type: 'AWS::CloudWatch::Alarm',
        Properties: { Namespace: 'AWS/ECS', MetricName: 'CPUUtilization', Statistic: 'Average', Period: 60, EvaluationPeriods: 1, Threshold: 90, ComparisonOperator: 'GreaterThanThreshold', AlarmActions: [{ Ref: 'Topic' }] },
      };
    },
  },
  {
    name: 'execution role that may not read the secret',
    caughtBy: 'secrets',
    edit: (template) => {
      const { statement, list } = statementFor(template, 'secretsmanager:GetSecretValue');
      ofType(template, 'AWS::IAM::Policy').forEach(([, { Properties }]) => Properties!.PolicyDocument.Statement = Properties!.PolicyDocument.Statement
        .map((candidate: any) => JSON.stringify(candidate.Action).includes('GetSecretValue') ? { ...candidate, Action: 'logs:PutLogEvents' } : candidate));
      list.splice(list.indexOf(statement), 1);
    },
  },
  {
    name: 'secrets without an execution role',
    caughtBy: 'secrets',
    edit: (template) => delete first(template, 'AWS::ECS::TaskDefinition')[1].Properties.ExecutionRoleArn,
  },
  { name: 'metrics in any namespace', caughtBy: 'iam', edit: (template) => delete statementFor(template, 'cloudwatch:PutMetricData').statement.Condition },
  { name: 'role that may read every secret', caughtBy: 'secrets', edit: (template) => statementFor(template, 'secretsmanager:GetSecretValue').statement.Resource = { 'Fn::Sub': 'arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:*' } },
  { name: 'API key in an environment variable', caughtBy: 'secrets', edit: (template) => (container(template).Environment ??= []).push({ Name: 'PREFECT_API_KEY', Value: 'not-a-reference' }) },
  { name: 'value that is a key', caughtBy: 'secrets', edit: (template) => (container(template).Environment ??= []).push({ Name: 'GREETING', Value: ['pnu', 'abcdef0123456789'].join('_') }) },
  { name: 'RunTask on everything', caughtBy: 'iam', edit: (template) => statementFor(template, 'ecs:RunTask').statement.Resource = '*' },
  { name: 'StopTask on every task', caughtBy: 'iam', edit: (template) => statementFor(template, 'ecs:StopTask').statement.Resource = { 'Fn::Sub': 'arn:${AWS::Partition}:ecs:${AWS::Region}:${AWS::AccountId}:task/*' } },
  { name: 'PassRole of any role', caughtBy: 'iam', edit: (template) => statementFor(template, 'iam:PassRole').statement.Resource = { 'Fn::Sub': 'arn:${AWS::Partition}:iam::${AWS::AccountId}:role/*' } },
  { name: 'PassRole to any service', caughtBy: 'iam', edit: (template) => delete statementFor(template, 'iam:PassRole').statement.Condition },
  { name: 'every action of ECS', caughtBy: 'iam', edit: (template) => statementFor(template, 'ecs:RunTask').statement.Action = 'ecs:*' },
  { name: 'action misspelt', caughtBy: 'iam', edit: (template) => statementFor(template, 'ecs:StopTask').statement.Action = ['ecs:StopTasks'] },
  {
    name: 'role that ECS may assume for any account',
    caughtBy: 'iam',
    edit: (template) => {
      const [, role] = first(template, 'AWS::IAM::Role', ({ AssumeRolePolicyDocument }) => JSON.stringify(AssumeRolePolicyDocument).includes('ecs-tasks'));
      delete role.Properties.AssumeRolePolicyDocument.Statement[0].Condition;
    },
  },
  { name: 'AWS managed policy misspelt', caughtBy: 'names', edit: (template) => first(template, 'AWS::IAM::Role')[1].Properties.ManagedPolicyArns = [{ 'Fn::Sub': 'arn:${AWS::Partition}:iam::aws:policy/service-role/AWSLambdaBasicExecRole' }] },
  { name: 'fixed partition', caughtBy: 'portable', edit: (template) => first(template, 'AWS::IAM::Role')[1].Properties.ManagedPolicyArns = ['arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole'] },
  { name: 'fixed account', caughtBy: 'portable', edit: (template) => first(template, 'AWS::IAM::Role')[1].Properties.Description = 'For account 111122223333 only' },
  { name: 'role with a name of its own', caughtBy: 'portable', edit: (template) => first(template, 'AWS::IAM::Role')[1].Properties.RoleName = 'prefect-worker' },
  {
    name: 'service before the policy of its execution role',
    caughtBy: 'dependencies',
    edit: (template) => {
      const [, task] = first(template, 'AWS::ECS::TaskDefinition', ({ ExecutionRoleArn }) => ExecutionRoleArn);
      const role = targetOf(template, task.Properties.ExecutionRoleArn);
      const ofRole = ofType(template, 'AWS::IAM::Policy').filter(([, { Properties }]) => targetOf(template, Properties!.Roles[0]) === role);
      const policies = ofRole.map(([id]) => id);
      if (policies.length === 0) {
        throw new NotApplicable('The execution role has no policy of its own.');
      }
      forgetDependency(template, policies);
    },
  },
];
