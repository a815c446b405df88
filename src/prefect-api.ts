import { Annotations, aws_ec2 as ec2, aws_ecs as ecs, Token } from 'aws-cdk-lib';
import type { IConstruct, IDependable } from 'constructs';
import { PrefectCloudOptions, SelfHostedApiOptions } from './prefect-api-options';
import { isPrivateLink, requireApiUrl, requireCertificate, requireCloudUrls, requireProxyUrl, requireUuid } from './private/api-validation';
import { requireGivenSecret, requireSecret } from './private/secrets';
import { isOutside, portOf } from './private/url';
import { invalid, isResolved } from './private/validation';
import type { PrefectServer } from './server/prefect-server';

const CLOUD_API_URL = 'https://api.prefect.cloud/api';

/** How to reach and address an API, for the modules of this library. */
interface ApiShape {
  readonly url: string;
  readonly isCloud: boolean;
  /** Of the workspace, or of the server. */
  readonly uiUrl: string;
  readonly cloudEnvironment?: { readonly [variable: string]: string };
  readonly privateNetwork: boolean;
  readonly proxyUrl?: string;
  readonly tlsCaCertificate?: string;
  readonly apiKey?: ecs.Secret;
  readonly managementApiKey?: ecs.Secret;
  readonly authString?: ecs.Secret;
  readonly customHeaders?: ecs.Secret;
  readonly server?: ApiServer;
}

/** A server of the app, as far as its clients have to know it. */
interface ApiServer {
  readonly vpc: ec2.IVpc;
  readonly connections: ec2.Connections;
  readonly port: number;
  /** What has to be there before it answers. */
  readonly answering: readonly IDependable[];
}

/**
 * The Prefect API that a worker polls: a Prefect Cloud workspace or a server of your own.
 *
 * Keys, authentication strings and headers are references to AWS Secrets Manager or to SSM parameters, never values.
 */
export class PrefectApi {
  /**
   * A workspace of Prefect Cloud.
   *
   * Throws when `accountId` or `workspaceId` is not a UUID, when a key is not an `ecs.Secret`, for an `apiUrl` that is not
   * `https` or doesn't end in `/api`, and for a `proxyUrl` that is not `http://<host>:<port>`.
   *
   * @param options which workspace, and its API keys
   * @see https://docs.prefect.io/v3/how-to-guides/cloud/connect-to-cloud
   */
  public static cloud(options: PrefectCloudOptions): PrefectApi {
    requireUuid('accountId', options.accountId);
    requireUuid('workspaceId', options.workspaceId);
    requireGivenSecret('apiKey', options.apiKey);
    requireSecret('managementApiKey', options.managementApiKey);
    requireProxyUrl(options.proxyUrl);
    requireCloudUrls(options.apiUrl, options.uiUrl);
    const { accountId, workspaceId, apiUrl = CLOUD_API_URL, uiUrl = cloudUiUrl(apiUrl) } = options;
    const privateNetwork = options.privateNetwork ?? isPrivateLink(apiUrl);
    if (!privateNetwork && isPrivateLink(apiUrl)) {
      throw invalid('privateNetwork', false, `only networks with an endpoint of AWS PrivateLink reach ${apiUrl}; leave it out, or leave out apiUrl.`);
    }
    return new PrefectApi({
      url: `${apiUrl}/accounts/${accountId}/workspaces/${workspaceId}`,
      cloudEnvironment: options.apiUrl ?? options.uiUrl ? { PREFECT_CLOUD_API_URL: apiUrl, PREFECT_CLOUD_UI_URL: uiUrl } : undefined,
      uiUrl: `${uiUrl.replace(/\/$/, '')}/account/${accountId}/workspace/${workspaceId}`,
      isCloud: true,
      privateNetwork,
      proxyUrl: options.proxyUrl,
      apiKey: options.apiKey,
      managementApiKey: options.managementApiKey,
    });
  }

  /**
   * A Prefect server of your own.
   *
   * Throws when `url` has no `http` or `https` scheme, doesn't end in `/api`, is Prefect Cloud's, has a user or a password in it,
   * or would send a secret over plain `http` outside a private network; when `authString` or `customHeaders` is not an `ecs.Secret`; and when `tlsCaCertificate` is not a certificate, is longer than 2800 characters, or holds a private key;
   * and for a `proxyUrl` that is not `http://<host>:<port>`.
   *
   * @param options where the server is, and how it knows its clients
   * @see https://docs.prefect.io/v3/advanced/self-hosted
   */
  public static selfHosted(options: SelfHostedApiOptions): PrefectApi {
    const { url, authString, customHeaders, tlsCaCertificate, proxyUrl, privateNetwork = false } = options;
    requireSecret('authString', authString);
    requireSecret('customHeaders', customHeaders);
    requireApiUrl(url, privateNetwork, authString !== undefined || customHeaders !== undefined);
    requireCertificate(tlsCaCertificate);
    requireProxyUrl(proxyUrl);
    // A URL that is known only at deployment ends in /api all the same, which a browser takes back.
    const uiUrl = Token.isUnresolved(url) ? `${url}/..` : url.replace(/\/api$/, '');
    return new PrefectApi({ url, uiUrl, isCloud: false, privateNetwork, proxyUrl, tlsCaCertificate, authString, customHeaders });
  }

  /**
   * A server that this library has created, in the same stack or another one of the app.
   *
   * Workers run in the server's VPC unless they are given one that is connected with it, and so do the functions that ask the API. The server
   * lets them in, and what asks it at the deployment waits until it answers. A worker's stack that has this depends on the server's.
   *
   * @param server the server
   */
  public static fromServer(server: PrefectServer): PrefectApi {
    const { apiUrl: url, uiUrl, authString, vpc, connections, _port: port, _answering: answering } = server;
    return new PrefectApi({ url, uiUrl, isCloud: false, privateNetwork: true, authString, server: { vpc, connections, port, answering } });
  }

  /** The API's URL, as in the setting `PREFECT_API_URL`. */
  public readonly url: string;

  /** Whether this is Prefect Cloud. */
  public readonly isCloud: boolean;

  /**
   * Whether functions reach the API from inside the network only: it is there, or a proxy before it.
   *
   * @internal
   */
  public readonly _inNetwork: boolean;

  /**
   * What a client has to be told that doesn't go to Prefect Cloud the usual way: without it, it takes the API for a server's.
   *
   * @internal
   */
  public readonly _cloudEnvironment: { readonly [variable: string]: string };

  /** @internal */
  public readonly _proxyUrl?: string;

  /** @internal */
  public readonly _tlsCaCertificate?: string;

  /**
   * Secrets of workers and flow runs, by the environment variable through which Prefect's client takes them.
   *
   * @internal
   */
  public readonly _secrets: { readonly [variable: string]: ecs.Secret };

  /**
   * Those of the functions.
   *
   * @internal
   */
  public readonly _functionSecrets: { readonly [variable: string]: ecs.Secret };

  /**
   * The server of the app that it is.
   *
   * @internal
   */
  public readonly _server?: ApiServer;

  private readonly workspaceUrl: string;
  private readonly privateNetwork: boolean;

  private constructor(shape: ApiShape) {
    this.url = shape.url;
    this.isCloud = shape.isCloud;
    this.workspaceUrl = shape.uiUrl;
    this.privateNetwork = shape.privateNetwork;
    this._cloudEnvironment = shape.cloudEnvironment ?? {};
    this._inNetwork = shape.privateNetwork || shape.proxyUrl !== undefined;
    this._proxyUrl = shape.proxyUrl;
    this._tlsCaCertificate = shape.tlsCaCertificate;
    this._server = shape.server;
    this._secrets = {
      ...(shape.apiKey && { PREFECT_API_KEY: shape.apiKey }),
      ...(shape.authString && { PREFECT_API_AUTH_STRING: shape.authString }),
      ...(shape.customHeaders && { PREFECT_CLIENT_CUSTOM_HEADERS: shape.customHeaders }),
    };
    this._functionSecrets = { ...this._secrets, ...(shape.managementApiKey && { PREFECT_API_KEY: shape.managementApiKey }) };
  }

  /**
   * Address of a work pool in the Prefect UI, which a server of your own has beside its API.
   *
   * @internal
   */
  public _workPoolUrl(workPool: string): string {
    return `${this.workspaceUrl}/work-pools/work-pool/${isResolved(workPool) ? encodeURIComponent(workPool) : workPool}`;
  }

  /**
   * The TCP ports on which the API is reached, and the proxy before it; 443 where a URL is known only at deployment.
   *
   * @internal
   */
  public get _ports(): number[] {
    if (this._server) return [this._server.port];
    return [this.url, this._proxyUrl].filter(url => url !== undefined).map(portOf);
  }

  /**
   * Warns of a server that is reached over plain http outside private networks. With a secret of its own that is an error.
   *
   * @internal
   */
  public _warnOfPlainHttp(worker: IConstruct): void {
    if (this.privateNetwork || !isOutside(this.url) || !this.url.toLowerCase().startsWith('http:')) return;
    Annotations.of(worker).addWarningV2('cdk-prefect-fargate-worker:api.plainHttp',
      `The parameters and logs of flow runs, and the secrets in Prefect's blocks, cross the network between the worker and ${this.url} in clear text: `
      + 'give a server with https, or set privateNetwork where the API is reached inside your network.');
  }
}

/** Where Prefect's own client looks for the UI. */
function cloudUiUrl(apiUrl: string): string {
  const url = Token.isUnresolved(apiUrl) ? `${apiUrl}/..` : apiUrl.replace(/\/api$/, '');
  return url.replace(/^https:\/\/api\.((private\.)?prefect\.cloud)$/i, 'https://app.$1');
}
