import { aws_ecs as ecs, aws_secretsmanager as secretsmanager, CfnParameter, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { PrefectApi, PrefectFargateWorkerProps, Tracing, WorkerType, WorkPool } from '../src';
import { ACCOUNT_ID, addWorker, newSecret, newStack, selfHosted, warnings, WORKSPACE_ID } from './support/worker';

const cloud = (apiKey: ecs.Secret) => PrefectApi.cloud({ accountId: ACCOUNT_ID, workspaceId: WORKSPACE_ID, apiKey });
const named = (stack: Stack, name: string) => secretsmanager.Secret.fromSecretNameV2(stack, 'Named', name);
const secret = (stack: Stack, name: string) => ecs.Secret.fromSecretsManager(named(stack, name), 'field');
const pulled = (stack: Stack, name: string) => ecs.ContainerImage.fromRegistry('registry.example.com/x:7', { credentials: named(stack, name) });

type Props = Partial<PrefectFargateWorkerProps>;

/** Where the library takes a secret. */
const places: Record<string, (stack: Stack, name: string) => Props> = {
  'apiKey': (stack, name) => ({ api: cloud(secret(stack, name)) }),
  'apiKey for a PROCESS worker': (stack, name) => ({ api: cloud(secret(stack, name)), workerType: WorkerType.PROCESS }),
  'apiKey for an existing pool': (stack, name) => ({ api: cloud(secret(stack, name)), workPool: WorkPool.existing('etl') }),
  'managementApiKey': (stack, name) => ({
    api: PrefectApi.cloud({ accountId: ACCOUNT_ID, workspaceId: WORKSPACE_ID, apiKey: newSecret(stack, 'ApiKey'), managementApiKey: secret(stack, name) }),
  }),
  'authString': (stack, name) => ({ api: selfHosted(stack, { authString: secret(stack, name) }) }),
  'customHeaders': (stack, name) => ({ api: selfHosted(stack, { customHeaders: secret(stack, name) }) }),
  'secrets': (stack, name) => ({ secrets: { DB_PASSWORD: secret(stack, name) } }),
  'the credentials of image': (stack, name) => ({ image: pulled(stack, name) }),
  'the credentials of flowRunDefaults.image': (stack, name) => ({ workPool: WorkPool.managed('etl', { flowRunDefaults: { image: pulled(stack, name) } }) }),
  'a header of Tracing.otlp': (stack, name) => ({ observability: { tracing: Tracing.otlp({ endpoint: 'https://otlp.example.com', headers: { key: secret(stack, name) } }) } }),
  'the credentials of collectorImage': (stack, name) => ({ observability: { tracing: Tracing.xray({ collectorImage: pulled(stack, name) }) } }),
};

function synthesize(place: (stack: Stack, name: string) => Props, name: string): () => Template {
  const stack = newStack();
  addWorker(stack, place(stack, name));
  return () => Template.fromStack(stack);
}

describe.each(Object.entries(places))('a secret that is imported by its name, as %s', (_, place) => {
  test('is an error that names it and both fixes where that ends in a hyphen and six characters', () => {
    expect(synthesize(place, 'prefect-apikey')).toThrow(
      /\[Stack\/Worker\] The secret "prefect-apikey" is imported by its name, .*import it with Secret\.fromSecretCompleteArn\(\), or give it a name that ends differently\./);
  });

  test('is fine where it ends otherwise', () => {
    expect(synthesize(place, 'prefect-api-key')).not.toThrow();
  });
});

describe('the name of a secret', () => {
  test.each(['team/prefect-auth-string', 'registry-AbCdEf', 'a-123456'])('ends as a complete ARN does: %s', name => {
    expect(synthesize(places.apiKey, name)).toThrow(`The secret "${name}" is imported by its name`);
  });

  test.each(['prefect', 'prefect-auth', 'prefectapikey', 'prefect-apikey1', 'prefect/apikey'])('ends otherwise: %s', name => {
    expect(synthesize(places.apiKey, name)).not.toThrow();
  });
});

describe('a secret', () => {
  test('that is imported by its complete ARN may end in a hyphen and six characters', () => {
    const stack = newStack();
    const complete = secretsmanager.Secret.fromSecretCompleteArn(stack, 'Complete', 'arn:aws:secretsmanager:us-east-1:123456789012:secret:prefect-apikey-AbCdEf');
    addWorker(stack, { api: cloud(ecs.Secret.fromSecretsManager(complete)) });
    expect(() => Template.fromStack(stack)).not.toThrow();
  });

  test('whose name is known only at deployment is not judged', () => {
    const stack = newStack();
    addWorker(stack, { api: cloud(secret(stack, new CfnParameter(stack, 'Name').valueAsString)) });
    expect(() => Template.fromStack(stack)).not.toThrow();
  });

  test('that flows read by its name may end in a hyphen and six characters', () => {
    const stack = newStack();
    named(stack, 'prefect-apikey').grantRead(addWorker(stack));
    expect(() => Template.fromStack(stack)).not.toThrow();
  });

  test('with its name for an ARN is refused, because ECS would look for an SSM parameter of that name', () => {
    const stack = newStack();
    // Deprecated, and no longer among the types.
    const byName = ecs.Secret.fromSecretsManager((secretsmanager.Secret as any).fromSecretName(stack, 'Old', 'prefect'));
    expect(() => cloud(byName)).toThrow('apiKey is "prefect": ECS finds a secret by its ARN; import it with Secret.fromSecretNameV2() or Secret.fromSecretCompleteArn().');
  });
});

describe('a secret of another region', () => {
  const WEST = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:prefect-AbCdEf';
  const warned = (props: Props) => {
    const stack = newStack({ account: '123456789012', region: 'us-east-1' });
    const west = ecs.Secret.fromSecretsManager(secretsmanager.Secret.fromSecretCompleteArn(stack, 'West', WEST));
    addWorker(stack, { api: cloud(west), ...props });
    Template.fromStack(stack);
    return warnings(stack, 'secretOfAnotherRegion');
  };

  test('is out of reach where only endpoints lead to secrets, which a warning says', () => {
    expect(warned({ network: { natGateways: 0 } })).toEqual([expect.stringMatching(`The secret ${WEST} is in eu-west-1\\. .*Replicate it to us-east-1 and give the replica\\.`)]);
  });

  test('is within reach over a NAT gateway', () => {
    expect(warned({})).toEqual([]);
  });
});
