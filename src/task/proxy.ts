const PROXY = /^(https?|all)_proxy$/i;
const NO_PROXY = /^no_proxy$/i;

/**
 * What is in the task or beside it, that a proxy must not see: the loopback, with the collector of traces, and the address of
 * Amazon ECS for credentials, metadata and scale-in protection.
 *
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4-fargate.html
 */
const DIRECT = 'localhost,127.0.0.1,169.254.170.2';

type Variables = { readonly [name: string]: string };

/** Those of a user's variables that name a proxy, and what is reached without it. */
export function proxyVariables(environment: Variables): Variables {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => PROXY.test(name) || NO_PROXY.test(name)));
}

/** A user's variables; where they name a proxy, with those hosts among the ones that are reached without it. */
export function withDirectHosts(environment: Variables, secrets: { readonly [name: string]: unknown } = {}): Variables {
  const names = [...Object.keys(environment), ...Object.keys(secrets)];
  if (!names.some(name => PROXY.test(name))) return environment;
  const exceptions = names.filter(name => NO_PROXY.test(name));
  if (exceptions.length === 0) return { ...environment, NO_PROXY: DIRECT };
  return Object.fromEntries(Object.entries(environment).map(([name, value]) =>
    [name, exceptions.includes(name) && value.trim() !== '*' ? [value, DIRECT].filter(Boolean).join(',') : value]));
}
