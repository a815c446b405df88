import { randomUUID } from 'node:crypto';

/** For which client the server keeps a token: this instance of the function. */
const CLIENT = randomUUID();

/** Where a client gets its token, and where it is renewed. */
export const CSRF_TOKEN_PATH = `/csrf-token?client=${CLIENT}`;

/** Whether a write was refused only because its token is missing, of another client, or too old. */
export function demandsCsrfToken(status: number, answer: string): boolean {
  return status === 403 && /(Missing|Invalid) CSRF token/.test(answer);
}

/** The headers of a write on a server whose `PREFECT_SERVER_CSRF_PROTECTION_ENABLED` is on. */
export function csrfHeaders({ token }: { readonly token: string }): Record<string, string> {
  return { 'Prefect-Csrf-Token': token, 'Prefect-Csrf-Client': CLIENT };
}
