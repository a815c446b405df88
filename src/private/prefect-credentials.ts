import { parseSecret, readSecret } from './stored-secret';

/**
 * HTTP headers that authenticate with a Prefect API, from the secrets that its client takes as environment variables.
 *
 * @param secrets by variable, the `valueFrom` of ECS
 */
export async function authenticationHeaders(secrets: { readonly [variable: string]: string }): Promise<Record<string, string>> {
  const values = Object.fromEntries(await Promise.all(
    Object.entries(secrets).map(async ([variable, valueFrom]) => [variable, (await readSecret(valueFrom)).text])));

  const headers: Record<string, string> = {};
  if (values.PREFECT_CLIENT_CUSTOM_HEADERS) {
    Object.assign(headers, parseSecret(
      values.PREFECT_CLIENT_CUSTOM_HEADERS, `The secret ${secrets.PREFECT_CLIENT_CUSTOM_HEADERS}, which is PREFECT_CLIENT_CUSTOM_HEADERS,`));
  }
  if (values.PREFECT_API_KEY) headers.authorization = `Bearer ${values.PREFECT_API_KEY}`;
  if (values.PREFECT_API_AUTH_STRING) headers.authorization = `Basic ${Buffer.from(values.PREFECT_API_AUTH_STRING).toString('base64')}`;
  return headers;
}
