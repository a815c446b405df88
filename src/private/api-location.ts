/** Where a function finds the Prefect API. No secrets: only where they are. */
export interface ApiLocation {
  readonly url: string;
  readonly isCloud: boolean;
  readonly tlsCaCertificate?: string;
  /** HTTP proxy through which it is reached. */
  readonly proxyUrl?: string;
  /** The functions' own, by environment variable of Prefect's client: the `valueFrom` of ECS, an ARN with an optional JSON field. */
  readonly secrets: { readonly [variable: string]: string };
}

/** The variable that tells a function of its API, in JSON. What belongs to a pool comes with each event. */
export const API_VARIABLE = 'API';
