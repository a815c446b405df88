import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

/**
 * HTTP headers that authenticate with a Prefect API, from the secrets that its client takes as environment variables.
 *
 * @param secrets by variable, the `valueFrom` of ECS: the secret's ARN, or `<arn>:<field>::` for a field of a JSON secret
 */
export async function authenticationHeaders(secrets: { readonly [variable: string]: string }): Promise<Record<string, string>> {
  const client = new SecretsManagerClient({});
  const values = Object.fromEntries(await Promise.all(
    Object.entries(secrets).map(async ([variable, valueFrom]) => [variable, await read(client, valueFrom)])));

  const headers: Record<string, string> = {};
  if (values.PREFECT_CLIENT_CUSTOM_HEADERS) {
    Object.assign(headers, parse(values.PREFECT_CLIENT_CUSTOM_HEADERS, `The secret ${secrets.PREFECT_CLIENT_CUSTOM_HEADERS}, which is PREFECT_CLIENT_CUSTOM_HEADERS,`));
  }
  if (values.PREFECT_API_KEY) headers.authorization = `Bearer ${values.PREFECT_API_KEY}`;
  if (values.PREFECT_API_AUTH_STRING) headers.authorization = `Basic ${Buffer.from(values.PREFECT_API_AUTH_STRING).toString('base64')}`;
  return headers;
}

async function read(client: SecretsManagerClient, valueFrom: string): Promise<string> {
  // arn:partition:secretsmanager:region:account:secret:name, then perhaps a field, a version stage and a version id
  const parts = valueFrom.split(':');
  const [secretId, field] = [parts.slice(0, 7).join(':'), parts[7]];
  const { SecretString: value } = await client.send(new GetSecretValueCommand({ SecretId: secretId }));
  if (value === undefined) throw new Error(`The secret ${secretId} holds binary data; put the text itself into it.`);
  if (!field) return value.trim();
  const fields = parse(value, `The secret ${secretId}, of which the field ${JSON.stringify(field)} is to be read,`);
  if (typeof fields[field] !== 'string') throw new Error(`The secret ${secretId} has no field ${JSON.stringify(field)}.`);
  return fields[field].trim();
}

/** The parser's own error would quote the secret. */
function parse(json: string, what: string): Record<string, string> {
  try {
    return Object(JSON.parse(json));
  } catch {
    throw new Error(`${what} holds no JSON object.`);
  }
}
