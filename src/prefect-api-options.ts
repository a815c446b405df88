import { aws_ecs as ecs } from 'aws-cdk-lib';

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
   * API key of the workers and of flow runs, in AWS Secrets Manager or in an SSM parameter. Use the key of a service account: it does not
   * depend on a person.
   *
   * With `managementApiKey` beside it, it needs the role *Worker* in the workspace, plus the permissions that your flows need in the
   * Prefect API, such as to start other deployments or to read blocks. Alone, it needs *Developer*, and every flow run has it.
   *
   * The template has a reference only: ECS hands the value to the containers when they start.
   *
   * @see https://docs.prefect.io/v3/how-to-guides/cloud/manage-users/service-accounts
   * @see https://docs.prefect.io/v3/how-to-guides/cloud/manage-users/manage-roles
   */
  readonly apiKey: ecs.Secret;

  /**
   * API key of the functions alone: those that manage the work pool and its automation, read the demand, and look after flow
   * runs. It needs the role *Developer* in the workspace. Neither workers nor flow runs get it.
   *
   * @see https://docs.prefect.io/v3/how-to-guides/cloud/manage-users/manage-roles
   * @default - `apiKey`
   */
  readonly managementApiKey?: ecs.Secret;

  /**
   * URL of Prefect Cloud's API, which ends in `/api`: `https://api.private.prefect.cloud/api` over AWS PrivateLink, or that of a
   * customer-managed Prefect Cloud. Account and workspace don't belong in it. Workers and flow runs get it as `PREFECT_CLOUD_API_URL`.
   *
   * @see https://docs.prefect.io/v3/how-to-guides/cloud/manage-users/secure-access-by-private-link
   * @default 'https://api.prefect.cloud/api'
   */
  readonly apiUrl?: string;

  /**
   * URL of Prefect Cloud's UI, to which the dashboard and the stack's outputs link. Workers and flow runs get it as `PREFECT_CLOUD_UI_URL`.
   *
   * @default - what `apiUrl` says: `https://app.prefect.cloud` or `https://app.private.prefect.cloud`; otherwise its host
   */
  readonly uiUrl?: string;

  /**
   * Whether the API is reached inside the VPC only, as over AWS PrivateLink: then the functions that ask it run in the VPC too. They
   * need a route to Secrets Manager, Amazon ECS and CloudWatch there: a NAT gateway, or endpoints. The deployment of a managed work
   * pool asks the API, so give a `vpc` that has the endpoint, once Prefect has accepted it and with its private DNS enabled, and let
   * the clients connect to it: `endpoint.connections.allowDefaultPortFrom(worker.apiClients)`.
   *
   * @default - true for `api.private.prefect.cloud`, which no other network reaches; false otherwise
   */
  readonly privateNetwork?: boolean;

  /**
   * HTTP proxy through which the functions reach the API, such as `http://proxy.example.com:3128`: an `https` API through a tunnel
   * (CONNECT). The functions that ask the API then run in the VPC, as with `privateNetwork`, and security groups allow egress to the proxy's
   * port. Calls of AWS services bypass it. Workers and flow runs take a proxy from their `environment` (`HTTPS_PROXY`, `NO_PROXY`).
   *
   * @default - the functions reach the API directly
   */
  readonly proxyUrl?: string;
}

/** Options of `PrefectApi.selfHosted()`. */
export interface SelfHostedApiOptions {
  /**
   * URL of the server's API. It ends in `/api`, for example `https://prefect.example.com/api`.
   * Don't put a user and a password into it, because everybody who reads the template can read them: give them with `authString`.
   * Plain `http` is for private networks: elsewhere it is refused with a secret, and warned of without one.
   */
  readonly url: string;

  /**
   * The server's authentication string, `user:password` (the server's setting `PREFECT_SERVER_API_AUTH_STRING`), in AWS
   * Secrets Manager or in an SSM parameter.
   *
   * @see https://docs.prefect.io/v3/advanced/security-settings
   * @default - the server asks for no authentication
   */
  readonly authString?: ecs.Secret;

  /**
   * HTTP headers to send with each request, as a JSON object of strings (the client's setting `PREFECT_CLIENT_CUSTOM_HEADERS`),
   * in AWS Secrets Manager or in an SSM parameter. For servers behind a proxy with its own tokens.
   *
   * @default - no further headers
   */
  readonly customHeaders?: ecs.Secret;

  /**
   * Certificate authority that signed the server's certificate, as PEM text. Clients then trust it,
   * and only it, for this API. Certificates only: a private key is refused.
   * At most 2800 characters, which is one certificate: that of the root.
   *
   * @default - the server's certificate is signed by a public authority
   */
  readonly tlsCaCertificate?: string;

  /**
   * Whether the server is reached inside the VPC or over a network that is connected to it (peering, a transit
   * gateway, a VPN). Then secrets may go over plain `http`, and the functions that ask it run in the VPC: that of the work pool's
   * custom resource, and those that look for demand and for lost flow runs. These need a route to Secrets Manager, Amazon ECS and
   * CloudWatch there: a NAT gateway, or endpoints. The deployment of a managed work pool asks the server, so the worker's `vpc` has
   * to be one that reaches it already; `worker.node.addDependency(route)` waits for routes of the same stack.
   *
   * @default false
   */
  readonly privateNetwork?: boolean;

  /**
   * HTTP proxy through which the functions reach the API, such as `http://proxy.example.com:3128`: an `https` API through a tunnel
   * (CONNECT). The functions that ask the API then run in the VPC, as with `privateNetwork`, and security groups allow egress to the proxy's
   * port. Calls of AWS services bypass it. Workers and flow runs take a proxy from their `environment` (`HTTPS_PROXY`, `NO_PROXY`).
   *
   * @default - the functions reach the API directly
   */
  readonly proxyUrl?: string;
}
