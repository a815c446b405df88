import type { Suppression } from './suppressions';

type Found = readonly [engine: string, rule: string | RegExp, message?: RegExp];

/** The same finding in several checkers. */
function each(where: RegExp, reason: string, ...findings: readonly Found[]): Suppression[] {
  return findings.map(([engine, rule, message]) => ({ engine, rule, message, where, reason }));
}

/** Exceptions of `PrefectServer`. */
export const serverSuppressions: Suppression[] = [
  ...each(/\/Server\/Access\/AccessLogs\/Resource$/,
    'It is the bucket of the access logs: logs of their own, a second region, a lock and events are your decisions; load balancers write with the encryption of Amazon S3 alone.',
    ['checkov', /^CKV_AWS_(18|145|144)$/],
    ['control-tower', /^CT\.S3\.PR\.(2|4|9|10)$/]),
  ...each(/\/Server\/Access\/LoadBalancer\/Resource$/,
    'What has to survive is the database, which is protected; a protected load balancer would only keep a stack from being deleted at its end.',
    ['control-tower', 'CT.ELASTICLOADBALANCING.PR.5']),
  ...each(/\/Server\/(AuthString\/Resource|Redis\/ReplicationGroup|Access\/LoadBalancer\/Https\/(Api|People)Rule\/Resource)$/,
    'The property is itself where the secret is kept, or the only place in which the service takes it; what reads the template has the reference.',
    ['rules', 'secrets', /by a dynamic reference/]),
  ...each(/\/Server\/Database\/(Instance\/Resource|Cluster\/(Writer|Reader|Resource))/,
    'Prefect signs in with a password, which Amazon RDS rotates; backups are those of Amazon RDS, with restore to any second; enhanced monitoring and a standby cost, '
    + 'and are yours to add; the port is behind security groups.',
    ['checkov', /^CKV_AWS_(118|157|161|162|353|354)$/],
    ['control-tower', /^CT\.RDS\.PR\.\d+$/]),
  ...each(/\/Server\/Database\/Instance\/Resource$/,
    'The major version alone: Amazon RDS creates its default minor version and upgrades it by itself, which a fixed one in the template would go back on.',
    ['cfn-lint', 'W3691', /^Engine version '17'/]),
  ...each(/\/Server\/(Api|Services|Migration)Task\/TaskDefinition\/Resource$/, 'ECS gives the volume to root; the container ends before the server starts.',
    ['control-tower', 'CT.ECS.PR.3', /container tmp/]),
  ...each(/\/Server\/(Api|Services|Migration)Task\/TaskDefinition\/Resource$/,
    'The parts of a server are one program with the same settings and secrets, and need the same permissions: none but to start.', ['rules', 'ownership', /^Its role/]),
  ...each(/\/Server\/Services\/(Api|Services)\/Service$/, 'The parts of a server write to one log group, each to streams of its own.', ['rules', 'ownership', /^It writes to/]),
  ...each(/\/Server\/Services\/Api\/Service$/, 'A small server keeps its messages in memory, so that there are never two, also while it is deployed.', ['rules', 'deployments']),
  ...each(/\/Server\/Migration\/Role\/DefaultPolicy\/Resource$/, 'ecs:ListTasks for one cluster by a condition, and tasks of that cluster, which have random ids.',
    ['rules', 'iam', /ecs:ListTasks/]),
  ...each(/\/Server\/Migration\/Role\/DefaultPolicy\/Resource$/, 'It starts the migration\'s task, whose roles these are.', ['rules', 'grants', /iam:PassRole/]),
  ...each(/\/Server\/TaskRole\/DefaultPolicy\/Resource$/, 'Sessions of ECS Exec have no resource-level permissions; their logs go where the cluster says.',
    ['rules', 'grants', /SessionLogs/]),
  ...each(/^Server\/PrefectWorkersShared\/(Topic\w+|Functions\w+\/\w+\/Role\/DefaultPolicy)\/Resource$/,
    'The authentication string and the alarms are the server\'s, and encrypted with its key.', ['rules', 'ownership', /It uses ServerKey/]),
  ...each(/\/Server\/Firewall\/Logs\/Resource$/, 'The web ACL\'s logging names it by its ARN.', ['rules', 'ownership', /^Nothing uses it/]),
];
