/**
 * Why Amazon ECS could not start a task: it has no capacity; something was refused or cut off that works later; something that
 * somebody has to fix; or it is unknown.
 */
export type StartFailure = 'capacity' | 'later' | 'permanent' | 'unknown';

const CAPACITY = /capacity is unavailable/i;

/** Registries, AWS services and subnets that have had enough for now. Docker Hub's sentence has words of a refusal in it. */
const LIMIT_REACHED = new RegExp([
  'toomanyrequests', 'too many requests', 'pull rate limit', 'rate exceeded', 'throttl', 'limit ?exceeded',
  // No address or network interface is left.
  'RESOURCE:ENI', 'insufficient ?free ?addresses', 'enough free (ip )?addresses',
].join('|'), 'i');

const REFUSED = /not ?found|no such (?!host)|does(n.t| not) exist|unknown|denied|forbidden|unauthorized|not authorized|no basic auth|invalid|no space left|does not contain|does not match|exec format/i;

/** What networks and servers say when an exchange was cut off. */
const CONNECTION_FAILED = new RegExp([
  'time ?out', 'timed out', 'deadline exceeded', 'request cancell?ed', 'context cancell?ed', 'connection (reset|refused|issue)', 'broken pipe', '\\bEOF\\b',
  'temporary failure', 'server misbehaving', 'no such host', 'network is unreachable', 'network ?interface', '\\b50[0234]\\b',
  'internal ?(server ?)?error', 'bad ?gateway', 'service ?unavailable', 'failed to copy', 'send request failed',
].join('|'), 'i');

/**
 * @param reason the stopped task's reason, with those of its containers, or what RunTask has answered
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_cannot_pull_image.html
 */
export function startFailure(reason: string): StartFailure {
  if (CAPACITY.test(reason)) return 'capacity';
  if (LIMIT_REACHED.test(reason)) return 'later';
  if (REFUSED.test(reason)) return 'permanent';
  return CONNECTION_FAILED.test(reason) ? 'later' : 'unknown';
}
