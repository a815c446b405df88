import { aws_ecs as ecs, aws_secretsmanager as secretsmanager, aws_ssm as ssm, SecretValue } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { PrefectApi, SelfHostedApiOptions } from '../../src';
import { ACCOUNT_ID, addWorker, configurationOf, container, newSecret, newStack, resource, statementsOf, text, WORKSPACE_ID } from '../support/worker';

const stack = newStack();
const secret = newSecret(stack, 'Secret');
const server = (url: any, options: Partial<SelfHostedApiOptions> = {}) => PrefectApi.selfHosted({ url, ...options });

describe('a secret', () => {
  const value = 'pnu_0123456789';
  const notSecrets: [string, any, RegExp][] = [
    ['a string', value, /is a string \(its value is not shown here\): .*put it into AWS Secrets Manager, and give ecs\.Secret\.fromSecretsManager\(secret\)\.$/],
    ['a SecretValue', SecretValue.unsafePlainText(value), /is a SecretValue .*ecs\.Secret\.fromSecretsManager\(secret\)/],
    ['a SecretValue of AWS Secrets Manager', SecretValue.secretsManager('prefect'), /is a SecretValue /],
    ['a secret of AWS Secrets Manager', new secretsmanager.Secret(stack, 'Plain'), /is a secret of AWS Secrets Manager .*give ecs\.Secret\.fromSecretsManager\(secret\)/],
    ['an imported one', secretsmanager.Secret.fromSecretNameV2(stack, 'Named', 'prefect'), /is a secret of AWS Secrets Manager /],
    ['an SSM parameter', ssm.StringParameter.fromSecureStringParameterAttributes(stack, 'Plain parameter', { parameterName: '/prefect' }), /is an SSM parameter .*give ecs\.Secret\.fromSsmParameter\(parameter\)\.$/],
    ['an L1 construct', new secretsmanager.CfnSecret(stack, 'L1', { secretString: value }), /is the L1 construct CfnSecret .*fromSecretCompleteArn/],
    ['an object', { key: value }, /is of the type object /],
    ['a number', 5, /is of the type number /],
  ];
  const takers: [string, (given: any) => unknown][] = [
    ['apiKey', given => PrefectApi.cloud({ accountId: ACCOUNT_ID, workspaceId: WORKSPACE_ID, apiKey: given })],
    ['managementApiKey', given => PrefectApi.cloud({ accountId: ACCOUNT_ID, workspaceId: WORKSPACE_ID, apiKey: secret, managementApiKey: given })],
    ['authString', given => server('https://x.example.com/api', { authString: given })],
    ['customHeaders', given => server('https://x.example.com/api', { customHeaders: given })],
    ['secrets.DB_PASSWORD', given => addWorker(newStack(), { secrets: { DB_PASSWORD: given } })],
  ];

  test.each(takers.flatMap(([prop, take]) => notSecrets.map(([what, given, message]) => ({ prop, what, take, given, message }))))(
    'of $prop is no $what, and no value is shown', ({ prop, take, given, message }) => {
      let said = '';
      try {
        take(given);
      } catch (error) {
        said = (error as Error).message;
      }
      expect(said).toMatch(message);
      // What is seen in a construct names its path.
      expect(said.replace(/^Stack\/Worker: /, '').startsWith(`${prop} is `)).toBe(true);
      expect(said).not.toContain(value);
    });

  test('is demanded by Prefect Cloud', () => {
    expect(() => PrefectApi.cloud({ accountId: ACCOUNT_ID, workspaceId: WORKSPACE_ID } as any)).toThrow(/^apiKey is missing: give ecs\.Secret\.fromSecretsManager\(secret\)/);
  });

  test('is an SSM parameter as well, which tasks and functions may read, over an endpoint of its own', () => {
    const own = newStack();
    const parameter = ssm.StringParameter.fromSecureStringParameterAttributes(own, 'Parameter', { parameterName: '/prefect/api-key' });
    addWorker(own, { api: PrefectApi.cloud({ accountId: ACCOUNT_ID, workspaceId: WORKSPACE_ID, apiKey: ecs.Secret.fromSsmParameter(parameter) }) });
    const template = Template.fromStack(own);
    const arn = 'arn:{AWS::Partition}:ssm:{AWS::Region}:{AWS::AccountId}:parameter/prefect/api-key';
    expect(text(container(template).Secrets)).toEqual([{ Name: 'PREFECT_API_KEY', ValueFrom: arn }]);
    expect(configurationOf(template).api.secrets).toEqual({ PREFECT_API_KEY: arn });
    for (const role of [/IdentityExecutionRole/, /FlowRunExecutionRole/, /WorkPoolRole/, /RescueRole/, /DemandRole/]) {
      expect(statementsOf(template, role).map(({ Action, Resource }) => [Action, text(Resource)])).toContainEqual([expect.arrayContaining(['ssm:GetParameter', 'ssm:GetParameters']), arn]);
    }
    expect(resource(template, 'AWS::EC2::VPCEndpoint', /SsmEndpoint/).Properties.PrivateDnsEnabled).toBe(true);
  });

  test('for management is for the functions alone', () => {
    const own = newStack();
    addWorker(own, { api: PrefectApi.cloud({ accountId: ACCOUNT_ID, workspaceId: WORKSPACE_ID, apiKey: newSecret(own, 'ApiKey'), managementApiKey: newSecret(own, 'Management') }) });
    const template = Template.fromStack(own);
    const key = expect.stringMatching(/^\{ApiKey\w+\}$/);
    const management = expect.stringMatching(/^\{Management\w+\}$/);
    const read = (role: RegExp) => statementsOf(template, role).filter(({ Action }) => [Action].flat().includes('secretsmanager:GetSecretValue')).flatMap(({ Resource }) => text([Resource].flat()));

    expect(text(container(template).Secrets)).toEqual([{ Name: 'PREFECT_API_KEY', ValueFrom: key }]);
    expect(configurationOf(template).template.variables.prefect_api_key_secret_arn).toEqual(key);
    for (const role of [/IdentityExecutionRole/, /FlowRunExecutionRole/]) expect(read(role)).toEqual([key]);

    expect(configurationOf(template).api.secrets).toEqual({ PREFECT_API_KEY: management });
    for (const role of [/WorkPoolRole/, /DemandRole/]) expect(read(role)).toEqual([management]);
    // Whether the workers' key is newer than they are.
    expect(read(/RescueRole/).sort()).toEqual([key, management]);
    const { API, WORKER_SECRETS } = resource(template, 'AWS::Lambda::Function', /RescueFunction/).Properties.Environment.Variables;
    expect(JSON.parse(text(API)).secrets).toEqual({ PREFECT_API_KEY: management });
    expect(JSON.parse(text(WORKER_SECRETS))).toEqual([key]);
  });

  test('of AWS Secrets Manager asks for no endpoint to SSM', () => {
    const own = newStack();
    addWorker(own);
    expect(Object.keys(Template.fromStack(own).findResources('AWS::EC2::VPCEndpoint')).filter(id => /Ssm/.test(id))).toEqual([]);
  });
});
