import { mayHoldPassword } from './url';
import { invalid, isResolved, ValidationError } from './validation';

export function requireUuid(prop: string, value: string): void {
  if (!isResolved(value) && value !== undefined) return;
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value ?? '')) {
    throw invalid(prop, value, 'give the UUID from the address of the Prefect Cloud UI, such as 11111111-2222-3333-4444-555555555555.');
  }
}

/** The functions get it in an environment variable, and all of a function's variables may have 4 KB. */
const LONGEST_CERTIFICATE = 2800;

/** The error shows a header or a path of what was given, because the rest may be of a key. */
export function requireCertificate(pem: string | undefined): void {
  if (!isResolved(pem)) return;
  const [privateKey] = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/.exec(pem) ?? [];
  if (privateKey) {
    throw invalid('tlsCaCertificate', privateKey, 'the template would show the key; give the certificate alone, from -----BEGIN CERTIFICATE----- on.');
  }
  if (!pem.includes('-----BEGIN CERTIFICATE-----')) {
    const [shown] = /^(-----BEGIN [A-Z0-9 ]*-----|[./~].{0,40}|$)/.exec(pem) ?? ['...'];
    throw invalid('tlsCaCertificate', shown, 'give the certificate itself as PEM text, from -----BEGIN CERTIFICATE----- on.');
  }
  if (pem.length > LONGEST_CERTIFICATE) {
    throw invalid('tlsCaCertificate', `-----BEGIN CERTIFICATE----- and ${pem.length} characters`,
      `AWS Lambda takes about ${LONGEST_CERTIFICATE}; give the certificate of the root authority alone, which the server's own leads to.`);
  }
}

export function requireApiUrl(url: string, privateNetwork: boolean, sendsSecret: boolean): void {
  if (!isResolved(url) && url !== undefined) return;
  if (url !== undefined && mayHoldPassword(url)) {
    throw new ValidationError('url has a user or a password in it (it is not shown here): put user:password into AWS Secrets Manager, give that secret '
      + 'with authString, and give the URL without it, such as https://prefect.example.com/api.');
  }
  if (!/^https?:\/\/[^/]/i.test(url ?? '') || !URL.canParse(url)) {
    throw invalid('url', url, 'give the whole URL with its scheme, such as https://prefect.example.com/api.');
  }
  if (/(^|\.)prefect\.cloud$/i.test(new URL(url).hostname)) {
    throw invalid('url', url, 'this is Prefect Cloud; use PrefectApi.cloud() with the account and the workspace that the URL names.');
  }
  if (!url.endsWith('/api')) {
    throw invalid('url', url, 'the URL of a Prefect API ends in /api, such as https://prefect.example.com/api.');
  }
  if (url.toLowerCase().startsWith('http:') && sendsSecret && !privateNetwork) {
    throw invalid('url', url, 'plain http would send the secret in clear text; use https, or set privateNetwork where the API is reached inside your network.');
  }
}

const PRIVATE_LINK = /(^|\.)private\.prefect\.cloud$/i;

/** Whether Prefect Cloud has this URL over AWS PrivateLink, and nowhere else. */
export function isPrivateLink(url: string | undefined): boolean {
  return isResolved(url) && URL.canParse(url) && PRIVATE_LINK.test(new URL(url).hostname);
}

/** URLs of Prefect Cloud: its API, and its UI. */
export function requireCloudUrls(apiUrl: string | undefined, uiUrl: string | undefined): void {
  for (const [prop, url] of [['apiUrl', apiUrl], ['uiUrl', uiUrl]] as const) {
    if (!isResolved(url)) continue;
    if (mayHoldPassword(url)) throw new ValidationError(`${prop} has a user or a password in it (it is not shown here): give the URL without it; Prefect Cloud knows its clients by apiKey.`);
    if (!/^https:\/\/[^/]/i.test(url) || !URL.canParse(url)) throw invalid(prop, url, 'give the whole URL with the scheme https, such as https://api.private.prefect.cloud/api for apiUrl.');
  }
  if (!isResolved(apiUrl)) return;
  if (/^app\.(private\.)?prefect\.cloud$/i.test(new URL(apiUrl).hostname)) {
    throw invalid('apiUrl', apiUrl, 'this is the UI of Prefect Cloud; its API is at https://api.prefect.cloud/api, and over AWS PrivateLink at https://api.private.prefect.cloud/api.');
  }
  if (!apiUrl.endsWith('/api')) {
    throw invalid('apiUrl', apiUrl, 'the URL of Prefect Cloud\'s API ends in /api, such as https://api.private.prefect.cloud/api; accountId and workspaceId say the rest.');
  }
}

/** A proxy is spoken with over http, also where the API is https: what goes through the tunnel is encrypted. */
export function requireProxyUrl(url: string | undefined): void {
  if (!isResolved(url)) return;
  if (mayHoldPassword(url)) {
    throw new ValidationError('proxyUrl has a user or a password in it (it is not shown here), which whoever reads the template reads: give the URL without it, '
      + 'such as http://proxy.example.com:3128, of a proxy that knows its clients by their addresses.');
  }
  if (!/^http:\/\/[^/]+\/?$/i.test(url) || !URL.canParse(url)) {
    throw invalid('proxyUrl', url, 'give the scheme http, the host and the port, such as http://proxy.example.com:3128.');
  }
}
