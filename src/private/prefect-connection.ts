import { API_VARIABLE, ApiLocation } from './api-location';
import { PrefectClient } from './prefect-client';
import { authenticationHeaders } from './prefect-credentials';

/** What this function was told of its API. */
export function ownApi(): ApiLocation {
  return JSON.parse(process.env[API_VARIABLE]!);
}

/** A client of that API, with what authenticates it. */
export async function connect(api: ApiLocation, patienceSeconds?: number): Promise<PrefectClient> {
  return new PrefectClient({
    url: api.url,
    ca: api.tlsCaCertificate,
    proxy: api.proxyUrl,
    headers: await authenticationHeaders(api.secrets),
    patienceSeconds,
  });
}
