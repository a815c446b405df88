import { isResolved } from './validation';

/** The TCP port of an http or https URL; 443 where the URL is known only at deployment. */
export function portOf(url: string): number {
  if (!isResolved(url)) return 443;
  const { port, protocol } = new URL(url);
  return Number(port) || (protocol === 'http:' ? 80 : 443);
}

/** Whether the URL may have a user or a password in it: what can't be taken apart and has an @ may as well. */
export function mayHoldPassword(url: string): boolean {
  if (!url.includes('@')) return false;
  if (!/^https?:/i.test(url) || !URL.canParse(url)) return true;
  const { username, password } = new URL(url);
  return username !== '' || password !== '';
}

const LOOPBACK = /^(localhost|127\..*|\[::1\])$/i;
const PRIVATE = /^(10\..*|192\.168\..*|172\.(1[6-9]|2\d|3[01])\..*|169\.254\..*|\[f[cde].*|[^.]+|.*\.(internal|local|lan|intranet|corp|home\.arpa))$/i;

/** Whether a URL is of a host on the task's own loopback. */
export function isLoopback(url: string): boolean {
  return isResolved(url) && LOOPBACK.test(new URL(url).hostname);
}

/** Whether a URL is, by its looks, of a host outside private networks. One that is known only at deployment is not judged. */
export function isOutside(url: string): boolean {
  return isResolved(url) && !isLoopback(url) && !PRIVATE.test(new URL(url).hostname);
}
