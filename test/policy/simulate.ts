import { runSimulation, type Simulation } from '@cloud-copilot/iam-simulate';
import { MANAGED_POLICY_DOCUMENTS } from './managed-policies';
import { Deployment, Resolver } from '../validators/intrinsics';
import { managedPoliciesOfRole, policiesOfRole } from '../validators/statements';
import { asArray, ofType, pathOf, props, targetOf } from '../validators/template';
import type { Template } from '../validators/types';

/** A request to AWS, as IAM sees it. */
export interface IamRequest {
  readonly action: string;
  /** The ARN, or `*` for an action without resource-level permissions. */
  readonly resource: string;
  /** Condition keys and their values. */
  readonly context?: Record<string, string | string[]>;
}

export interface Decision {
  readonly allowed: boolean;
  /** `Allowed`, `ImplicitlyDenied` or `ExplicitlyDenied`. */
  readonly result: string;
}

/** Answers whether a role of a synthesized template may do something, with the policies that this template gives it. */
export class PolicySimulator {
  readonly resolver: Resolver;

  constructor(readonly template: Template, deployment: Partial<Deployment> = {}) {
    this.resolver = new Resolver(template, deployment);
  }

  /** The logical id of a resource, given that id or the end of its construct path (without `/Resource`). */
  find(name: string, type: string | RegExp = /./): string {
    if (name in this.template.Resources) {
      return name;
    }
    const found = ofType(this.template, type).filter(([id]) => pathOf(this.template, id).replace(/(\/(Resource|Default))+$/, '').endsWith(`/${name}`));
    if (found.length !== 1) {
      throw new Error(`${found.length} resources have a path that ends in "${name}"${found.length ? `: ${found.map(([id]) => id).join(', ')}` : ''}. Name one.`);
    }
    return found[0][0];
  }

  /** The ARN of a resource, named as for find(). */
  arn(name: string, type?: string | RegExp): string {
    return this.resolver.arn(this.find(name, type));
  }

  /** The logical id of the role that has an ARN, or undefined where it is none of the template's. */
  roleOf(arn: string): string | undefined {
    return ofType(this.template, 'AWS::IAM::Role').map(([id]) => id).find((id) => this.resolver.arn(id) === arn);
  }

  /** Whether a role may make a request, by its own policies and those of the resource and of the endpoint it passes. */
  async decide(role: string, request: IamRequest): Promise<Decision> {
    const id = this.find(role, 'AWS::IAM::Role');
    return this.run(this.resolver.arn(id), request, {
      identityPolicies: this.identityPolicies(id),
      resourcePolicy: this.resourcePolicy(request.resource),
      vpcEndpointPolicies: this.runsInVpc(id) ? this.endpointPolicies(request.action) : undefined,
    });
  }

  /** Whether an AWS service may make a request, by the resource's policy alone. */
  async decideForService(service: string, request: IamRequest): Promise<Decision> {
    return this.run(service, request, { identityPolicies: [], resourcePolicy: this.resourcePolicy(request.resource) });
  }

  /** Whether an AWS service may assume a role. */
  async mayAssume(service: string, role: string, context: IamRequest['context'] = {}): Promise<Decision> {
    const id = this.find(role, 'AWS::IAM::Role');
    const request = { action: 'sts:AssumeRole', resource: this.resolver.arn(id), context };
    const trust = this.resolver.resolve(props(this.template, id).AssumeRolePolicyDocument);
    return this.run(service, request, { identityPolicies: [], resourcePolicy: trust });
  }

  private async run(principal: string, request: IamRequest, policies: Pick<Simulation, 'identityPolicies' | 'resourcePolicy' | 'vpcEndpointPolicies'>): Promise<Decision> {
    const { account } = this.resolver.deployment;
    const isRole = principal.startsWith('arn:');
    const response = await runSimulation(standIn({
      request: {
        principal,
        action: request.action,
        resource: { resource: request.resource, accountId: account },
        contextVariables: { 'aws:SecureTransport': 'true', ...(isRole ? { 'aws:PrincipalAccount': account } : {}), ...request.context },
      },
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      ...policies,
    }), {});
    if (response.resultType === 'error') {
      throw new Error(`The simulator doesn't take the request ${request.action} on ${request.resource}: ${JSON.stringify(response.errors)}`);
    }
    return { allowed: response.overallResult === 'Allowed', result: response.overallResult };
  }

  private identityPolicies(roleId: string): { name: string; policy: any }[] {
    const managed = managedPoliciesOfRole(this.resolver, roleId).map((name) => {
      if (!(name in MANAGED_POLICY_DOCUMENTS)) {
        throw new Error(`The role ${roleId} has the AWS managed policy ${name}, whose text the simulator doesn't have. Add it to managed-policies.ts.`);
      }
      return { name, policy: MANAGED_POLICY_DOCUMENTS[name] };
    });
    const own = policiesOfRole(this.template, roleId)
      .map(({ holder, document }, index) => ({ name: `${holder}-${index}`, policy: this.resolver.resolve(document) }));
    return [...own, ...managed];
  }

  /** The policy of the resource with this ARN, where the template has one. */
  private resourcePolicy(arn: string): any {
    const owner = ofType(this.template, /^AWS::(KMS::Key|SQS::Queue|SecretsManager::Secret|SNS::Topic|S3::Bucket)$/).map(([id]) => id)
      .find((id) => this.resolver.arn(id) === arn.split('/')[0] || this.resolver.arn(id) === arn);
    if (!owner) {
      // Every key has a policy, and that of any other key hands the decision to the account's identity policies.
      return arn.includes(':kms:') ? this.accountDecides() : undefined;
    }
    const isFor = (targets: any) => asArray<any>(targets).some((item) => targetOf(this.template, item) === owner);
    const documents = [
      props(this.template, owner).KeyPolicy,
      ...ofType(this.template, /^AWS::(SQS::QueuePolicy|SNS::TopicPolicy|S3::BucketPolicy)$/)
        .filter(([, { Properties = {} }]) => isFor(Properties.Queues ?? Properties.Topics ?? Properties.Bucket))
        .map(([, { Properties = {} }]) => Properties.PolicyDocument),
      ...ofType(this.template, 'AWS::SecretsManager::ResourcePolicy')
        .filter(([, { Properties = {} }]) => isFor(Properties.SecretId))
        .map(([, { Properties = {} }]) => Properties.ResourcePolicy),
    ].filter((document) => document !== undefined).map((document) => this.resolver.resolve(document));
    return documents.length === 0 ? undefined : { Version: '2012-10-17', Statement: documents.flatMap(({ Statement }) => asArray(Statement)) };
  }

  private accountDecides(): object {
    const root = this.resolver.formatArn('iam', 'root', { region: '' });
    return { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { AWS: root }, Action: 'kms:*', Resource: '*' }] };
  }

  /** Tasks run in the VPC and reach AWS through its endpoints; functions outside it don't. */
  private runsInVpc(roleId: string): boolean {
    return JSON.stringify(props(this.template, roleId).AssumeRolePolicyDocument).includes('ecs-tasks.amazonaws.com');
  }

  private endpointPolicies(action: string): { name: string; policy: any }[] | undefined {
    const service = action.split(':')[0].toLowerCase();
    const endpoints = ofType(this.template, 'AWS::EC2::VPCEndpoint').filter(([, { Properties = {} }]) => {
      const [, name] = String(this.resolver.resolve(Properties.ServiceName)).split(`.${this.resolver.deployment.region}.`);
      return Properties.PolicyDocument && name === (service === 'ecr' ? 'ecr.api' : service);
    });
    const policies = endpoints.map(([name, { Properties = {} }]) => ({ name, policy: everybody(this.resolver.resolve(Properties.PolicyDocument)) }));
    return policies.length === 0 ? undefined : policies;
  }
}

/**
 * The simulator drops condition keys of the form kms:EncryptionContext:<name> from a request, and with them what they
 * decide. Keys of the form aws:PrincipalTag/<name> it knows: they stand in, in the request and in the policies alike.
 */
function standIn(simulation: Simulation): Simulation {
  return JSON.parse(JSON.stringify(simulation).replace(/"kms:EncryptionContext:([^"]+)"/g, '"aws:PrincipalTag/encryption-context-$1"'));
}

/** The CDK's AnyPrincipal writes `{ "AWS": "*" }`, which endpoints take for `"*"`; the simulator wants it in that form. */
function everybody(document: any): any {
  const statements = asArray<any>(document.Statement);
  const isEverybody = (statement: any) => statement.Principal?.AWS === '*';
  return { ...document, Statement: statements.map((statement) => isEverybody(statement) ? { ...statement, Principal: '*' } : statement) };
}
