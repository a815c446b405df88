import { ValidationError } from './validation';

/** What to give for props whose values are objects, where something else is given: compilers see that, but not in JavaScript or behind `any`. */
const FACTORIES: { readonly [prop: string]: string } = {
  'api': 'PrefectApi.cloud() or PrefectApi.selfHosted()',
  'workPool': 'WorkPool.managed() or WorkPool.existing()',
  'image': 'ecs.ContainerImage.fromRegistry() or another of its factories',
  'flowRunDefaults.image': 'ecs.ContainerImage.fromRegistry() or another of its factories',
  'cpuArchitecture': 'ecs.CpuArchitecture.X86_64 or .ARM64',
  'vpc': 'ec2.Vpc.fromLookup() or another VPC',
  'cluster': 'ecs.Cluster.fromClusterAttributes() or another cluster',
  'encryptionKey': 'kms.Key.fromKeyArn() or another key',
  'workerRole': 'iam.Role.fromRoleArn() or another role',
  'executionRole': 'iam.Role.fromRoleArn() or another role',
  'flowRunRole': 'iam.Role.fromRoleArn() or another role',
  'flowRunExecutionRole': 'iam.Role.fromRoleArn() or another role',
  'results': 'Results.managed() or Results.bucket()',
  'bucket': 's3.Bucket.fromBucketName() or another bucket',
  'observability.alarmTopic': 'sns.Topic.fromTopicArn() or another topic',
  'observability.pageTopic': 'sns.Topic.fromTopicArn() or another topic',
  'observability.informTopic': 'sns.Topic.fromTopicArn() or another topic',
};

/** Throws for a value that is no object, by its type alone: it may be a secret at the wrong place. */
export function requireObject(prop: string, value: unknown): void {
  if (value === undefined || typeof value === 'object' && value !== null) return;
  throw wrongType(prop, value, FACTORIES[prop]);
}

/** Throws for a value that is no list. */
export function requireList(prop: string, value: unknown, instead: string): void {
  if (value !== undefined && !Array.isArray(value)) throw wrongType(prop, value, instead);
}

/** Throws for a value that is no duration. */
export function requireDuration(prop: string, value: unknown): void {
  if (value === undefined || typeof (value as { toSeconds?: unknown } | null)?.toSeconds === 'function') return;
  throw wrongType(prop, value, 'a Duration, such as Duration.minutes(5)');
}

/** Throws for a value that is none of the enum's. */
export function requireMember(prop: string, value: unknown, name: string, members: object): void {
  if (value === undefined || Object.values(members).includes(value)) return;
  throw wrongType(prop, value, Object.keys(members).map(member => `${name}.${member}`).join(' or '));
}

function wrongType(prop: string, value: unknown, instead: string): ValidationError {
  const type = value === null ? 'null' : Array.isArray(value) ? 'a list' : `${/^[aeiou]/.test(typeof value) ? 'an' : 'a'} ${typeof value}`;
  return new ValidationError(`${prop} is ${type}: give ${instead}.`);
}
