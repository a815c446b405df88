import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';

/** A secret as the service that keeps it gives it. */
interface StoredSecret {
  readonly text: string;
  readonly written: Date;
}

/**
 * Reads what ECS would read, in the region that its ARN names.
 *
 * @param valueFrom the `valueFrom` of ECS: an SSM parameter's ARN, or `<secret's ARN>:<field>:<version stage>:<version id>`,
 * where what comes behind the ARN may be left out
 */
export async function readSecret(valueFrom: string): Promise<StoredSecret> {
  const parts = valueFrom.split(':');
  const region = parts[3] || undefined;
  return parts[2] === 'ssm' ? readParameter(valueFrom, region) : readFromSecretsManager(parts, region);
}

async function readParameter(arn: string, region?: string): Promise<StoredSecret> {
  const { Parameter } = await new SSMClient({ region }).send(new GetParameterCommand({ Name: arn, WithDecryption: true }));
  return { text: Parameter!.Value!.trim(), written: Parameter!.LastModifiedDate! };
}

async function readFromSecretsManager(parts: readonly string[], region?: string): Promise<StoredSecret> {
  // arn:partition:secretsmanager:region:account:secret:name, and what comes behind it
  const SecretId = parts.slice(0, 7).join(':');
  const [field, VersionStage, VersionId] = parts.slice(7).map(part => part || undefined);
  const { SecretString: value, CreatedDate } = await new SecretsManagerClient({ region })
    .send(new GetSecretValueCommand({ SecretId, VersionStage, VersionId }));
  if (value === undefined) throw new Error(`The secret ${SecretId} holds binary data; put the text itself into it.`);
  return { text: field === undefined ? value.trim() : fieldOf(value, field, SecretId), written: CreatedDate! };
}

function fieldOf(json: string, field: string, secret: string): string {
  const fields = parseSecret(json, `The secret ${secret}, of which the field ${JSON.stringify(field)} is to be read,`);
  if (typeof fields[field] !== 'string') throw new Error(`The secret ${secret} has no field ${JSON.stringify(field)}.`);
  return fields[field].trim();
}

/** The parser's own error would quote the secret. */
export function parseSecret(json: string, what: string): Record<string, string> {
  try {
    return Object(JSON.parse(json));
  } catch {
    throw new Error(`${what} holds no JSON object.`);
  }
}
