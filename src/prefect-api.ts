import { aws_ecs as ecs, aws_secretsmanager as secretsmanager, Token } from 'aws-cdk-lib';
import { invalid, known } from './private/validation';

/** Options of `PrefectApi.cloud()`. */
export interface PrefectCloudOptions {
  /**
   * Id of the Prefect Cloud account: the UUID behind `/account/` in the address of the Prefect Cloud UI.
   */
  readonly accountId: string;

  /**
   * Id of the workspace: the UUID behind `/workspace/` in the address of the Prefect Cloud UI.
   */
  readonly workspaceId: string;

  /**
   * Secret that holds an API key. A service account's key is the right one for a worker: it doesn't
   * leave with a person.
   *
   * It stays a reference from end to end: ECS hands its value to the containers when they start.
   *
   * @see https://docs.prefect.io/v3/how-to-guides/cloud/manage-users/service-accounts
   */
  readonly apiKey: secretsmanager.ISecret;

  /**
   * Field of the secret that holds the API key, where the secret is a JSON object.
   *
   * @default - the whole secret is the API key
   */
  readonly apiKeyField?: string;
}

/** Options of `PrefectApi.selfHosted()`. */
export interface SelfHostedApiOptions {
  /**
   * URL of the server's API. It ends in `/api`, for example `https://prefect.example.com/api`.
   * A user and a password don't belong in it, because whoever reads the template reads it: give them with `authString`.
   */
  readonly url: string;

  /**
   * Secret that holds the server's authentication string, `user:password`
   * (the server's setting `PREFECT_SERVER_API_AUTH_STRING`).
   *
   * @see https://docs.prefect.io/v3/advanced/security-settings
   * @default - the server asks for no authentication
   */
  readonly authString?: secretsmanager.ISecret;

  /**
   * Field of the secret that holds the authentication string, where the secret is a JSON object.
   *
   * @default - the whole secret is the authentication string
   */
  readonly authStringField?: string;

  /**
   * Secret that holds HTTP headers to send with each request, as a JSON object of strings
   * (the client's setting `PREFECT_CLIENT_CUSTOM_HEADERS`). For servers behind a proxy with its own tokens.
   *
   * @default - no further headers
   */
  readonly customHeaders?: secretsmanager.ISecret;

  /**
   * Certificate authority that signed the server's certificate, as PEM text. Clients then trust it,
   * and only it, for this API. Certificates only: a private key is refused.
   * At most 2800 characters, which is one certificate: that of the root.
   *
   * @default - the server's certificate is signed by a public authority
   */
  readonly tlsCaCertificate?: string;

  /**
   * Whether the server is reached inside the VPC or over what is connected to it (peering, a transit
   * gateway, a VPN). Then plain `http` is accepted, and the functions that ask it run in the VPC: that of the work pool's
   * custom resource, and those that look for demand and for lost flow runs. These need a way to Secrets Manager, Amazon ECS and
   * CloudWatch there: a NAT gateway, or endpoints.
   *
   * @default false
   */
  readonly privateNetwork?: boolean;
}

/** How to reach and address an API, for the rooms of this library. */
interface ApiShape {
  readonly url: string;
  readonly isCloud: boolean;
  readonly privateNetwork: boolean;
  readonly tlsCaCertificate?: string;
  readonly apiKey?: ecs.Secret;
  readonly authString?: ecs.Secret;
  readonly customHeaders?: ecs.Secret;
}

/**
 * The Prefect API that a worker polls: a Prefect Cloud workspace or a server of your own.
 *
 * Keys and authentication strings are references to AWS Secrets Manager, never values.
 */
export class PrefectApi {
  /**
   * A workspace of Prefect Cloud.
   *
   * Throws when `accountId` or `workspaceId` is not a UUID.
   *
   * @param options which workspace, and the secret with its API key
   * @see https://docs.prefect.io/v3/how-to-guides/cloud/connect-to-cloud
   */
  public static cloud(options: PrefectCloudOptions): PrefectApi {
    requireUuid('accountId', options.accountId);
    requireUuid('workspaceId', options.workspaceId);
    return new PrefectApi({
      url: `https://api.prefect.cloud/api/accounts/${options.accountId}/workspaces/${options.workspaceId}`,
      isCloud: true,
      privateNetwork: false,
      apiKey: ecs.Secret.fromSecretsManager(options.apiKey, options.apiKeyField),
    });
  }

  /**
   * A Prefect server of your own.
   *
   * Throws when `url` has no `http` or `https` scheme, doesn't end in `/api`, has a user or a password in it, or would send
   * a secret over plain `http` outside a private network; and when `tlsCaCertificate` is no certificate, is longer
   * than 2800 characters, or holds a private key.
   *
   * @param options where the server is, and how it knows its clients
   * @see https://docs.prefect.io/v3/advanced/self-hosted
   */
  public static selfHosted(options: SelfHostedApiOptions): PrefectApi {
    const privateNetwork = options.privateNetwork ?? false;
    requireApiUrl(options.url, privateNetwork, options.authString !== undefined || options.customHeaders !== undefined);
    requireCertificate(options.tlsCaCertificate);
    return new PrefectApi({
      url: options.url,
      isCloud: false,
      privateNetwork,
      tlsCaCertificate: options.tlsCaCertificate,
      authString: options.authString && ecs.Secret.fromSecretsManager(options.authString, options.authStringField),
      customHeaders: options.customHeaders && ecs.Secret.fromSecretsManager(options.customHeaders),
    });
  }

  /** The API's URL, as in the setting `PREFECT_API_URL`. */
  public readonly url: string;

  /** Whether this is Prefect Cloud. */
  public readonly isCloud: boolean;

  /** @internal */
  public readonly _privateNetwork: boolean;

  /** @internal */
  public readonly _tlsCaCertificate?: string;

  /**
   * Secrets by the environment variable through which Prefect's client takes them.
   *
   * @internal
   */
  public readonly _secrets: { readonly [variable: string]: ecs.Secret };

  private constructor(shape: ApiShape) {
    this.url = shape.url;
    this.isCloud = shape.isCloud;
    this._privateNetwork = shape.privateNetwork;
    this._tlsCaCertificate = shape.tlsCaCertificate;
    this._secrets = {
      ...(shape.apiKey && { PREFECT_API_KEY: shape.apiKey }),
      ...(shape.authString && { PREFECT_API_AUTH_STRING: shape.authString }),
      ...(shape.customHeaders && { PREFECT_CLIENT_CUSTOM_HEADERS: shape.customHeaders }),
    };
  }

  /**
   * Address of a work pool in the Prefect UI, which a server of your own has beside its API.
   *
   * @internal
   */
  public _workPoolUrl(workPool: string): string {
    const ui = this.isCloud
      ? this.url.replace('https://api.prefect.cloud/api/accounts/', 'https://app.prefect.cloud/account/').replace('/workspaces/', '/workspace/')
      // A URL that is known only at deployment ends in /api all the same, which a browser takes back.
      : Token.isUnresolved(this.url) ? `${this.url}/..` : this.url.replace(/\/api$/, '');
    return `${ui}/work-pools/work-pool/${known(workPool) ? encodeURIComponent(workPool) : workPool}`;
  }

  /**
   * The TCP port on which the API is reached; 443 where the URL is known only at deployment.
   *
   * @internal
   */
  public get _port(): number {
    if (Token.isUnresolved(this.url)) return 443;
    const url = new URL(this.url);
    return Number(url.port) || (url.protocol === 'http:' ? 80 : 443);
  }
}

function requireUuid(prop: string, value: string): void {
  if (!known(value) && value !== undefined) return;
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value ?? '')) {
    throw invalid(prop, value, 'give the UUID from the address of the Prefect Cloud UI, such as 11111111-2222-3333-4444-555555555555.');
  }
}

/** The functions get it in an environment variable, and all of a function's variables may have 4 KB. */
const LONGEST_CERTIFICATE = 2800;

/** The error shows a header or a path of what was given, because the rest may be of a key. */
function requireCertificate(pem: string | undefined): void {
  if (!known(pem)) return;
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

/** Whether the URL may have a user or a password in it: what can't be taken apart and has an @ may as well. */
function mayHoldPassword(url: string): boolean {
  if (!url.includes('@')) return false;
  if (!/^https?:/i.test(url) || !URL.canParse(url)) return true;
  const { username, password } = new URL(url);
  return username !== '' || password !== '';
}

function requireApiUrl(url: string, privateNetwork: boolean, sendsSecret: boolean): void {
  if (!known(url) && url !== undefined) return;
  if (url !== undefined && mayHoldPassword(url)) {
    throw new Error('url has a user or a password in it (it is not shown here): put user:password into AWS Secrets Manager, give that secret '
      + 'with authString, and give the URL without it, such as https://prefect.example.com/api.');
  }
  if (!/^https?:\/\/[^/]/i.test(url ?? '') || !URL.canParse(url)) {
    throw invalid('url', url, 'give the whole URL with its scheme, such as https://prefect.example.com/api.');
  }
  if (!url.endsWith('/api')) {
    throw invalid('url', url, 'the URL of a Prefect API ends in /api, such as https://prefect.example.com/api.');
  }
  if (url.toLowerCase().startsWith('http:') && sendsSecret && !privateNetwork) {
    throw invalid('url', url, 'plain http would send the secret in clear; use https, or set privateNetwork where the API is reached inside your network.');
  }
}
