import { aws_ecs as ecs } from 'aws-cdk-lib';
import { requireGivenSecret } from './secrets';
import { mayHoldPassword } from './url';
import { invalid, isResolved, ValidationError } from './validation';

const GIVE_URL = 'give the URL of a receiver of OTLP over HTTP, such as https://api.honeycomb.io or http://collector.example.internal:4318.';

/** As RFC 9110 has them. */
const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/;

/** What the collector writes itself. */
const OF_THE_REQUEST = ['content-encoding', 'content-length', 'content-type', 'host'];

export function requireSamplingRatio(ratio: number | undefined): void {
  if (isResolved(ratio) && !(ratio > 0 && ratio <= 1)) {
    throw invalid('samplingRatio', ratio, 'give a share above 0 and up to 1, such as 0.1 for one run in ten; leave tracing out for none.');
  }
}

/** The error shows nothing of a user, a password or a query, which may be a key. */
export function requireOtlpEndpoint(endpoint: string): void {
  if (!isResolved(endpoint) && endpoint !== undefined) return;
  if (endpoint === undefined) throw invalid('endpoint', endpoint, GIVE_URL);
  if (mayHoldPassword(endpoint) || endpoint.includes('?')) {
    throw new ValidationError('endpoint has a user, a password or a query in it (it is not shown here), which whoever reads the template reads: give the URL without it, '
      + 'and the key with headers, such as { \'api-key\': ecs.Secret.fromSecretsManager(secret) }.');
  }
  if (!/^https?:\/\/[^/]/i.test(endpoint) || !URL.canParse(endpoint)) throw invalid('endpoint', endpoint, GIVE_URL);
  if (/\/v1\/traces\/?$/.test(endpoint)) throw invalid('endpoint', endpoint, 'the collector adds /v1/traces; give the URL without it.');
}

export function requireOtlpHeaders(headers: { readonly [name: string]: ecs.Secret } = {}): void {
  const names = Object.keys(headers);
  for (const [index, name] of names.entries()) {
    if (!HEADER_NAME.test(name)) throw invalid('headers', name, 'this is not a valid name of an HTTP header; give one such as api-key.');
    if (OF_THE_REQUEST.includes(name.toLowerCase())) throw invalid('headers', name, 'the collector sets this header; remove it.');
    if (names.findIndex(other => other.toLowerCase() === name.toLowerCase()) < index) throw invalid('headers', names, `${JSON.stringify(name)} is listed twice; names of HTTP headers are not case-sensitive.`);
    requireGivenSecret(`headers.${name}`, headers[name]);
  }
}
