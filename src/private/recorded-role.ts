import { aws_iam as iam, Resource } from 'aws-cdk-lib';
import { Construct, Dependable, IConstruct } from 'constructs';

/**
 * A role, and what is asked for it here: by this library, by L2 constructs on its behalf and by users. Imported roles may take none of it,
 * and not say so.
 */
export class RecordedRole extends Resource implements iam.IRole {
  public readonly grantPrincipal: iam.IPrincipal = this;
  public readonly assumeRoleAction: string;
  public readonly policyFragment: iam.PrincipalPolicyFragment;
  public readonly principalAccount?: string;
  public readonly roleArn: string;
  public readonly roleName: string;
  /** What was asked for so far. */
  public readonly statements: iam.PolicyStatement[] = [];
  private readonly refused: iam.PolicyStatement[] = [];
  private readonly followers: iam.IRole[] = [];

  constructor(scope: Construct, id: string, public readonly role: iam.IRole) {
    super(scope, id, { account: role.env.account, region: role.env.region });
    this.assumeRoleAction = role.assumeRoleAction;
    this.policyFragment = role.policyFragment;
    this.principalAccount = role.principalAccount;
    this.roleArn = role.roleArn;
    this.roleName = role.roleName;
    // What waits for this one waits for the role and its policies.
    Dependable.implement(this, { dependencyRoots: [role] });
    this.node.defaultChild = role.node.defaultChild;
    // In the base class it is a property or an accessor, by the CDK's version.
    Object.defineProperty(this, 'stack', { value: role.stack });
  }

  public get roleRef() {
    return { roleName: this.roleName, roleArn: this.roleArn };
  }

  /** What the role does not get from this app. Known at the end of synthesis only. */
  public get lacking(): readonly iam.PolicyStatement[] {
    return takesPolicies(this.role) ? this.refused : this.statements;
  }

  /** Has another role get what was and will be asked for this one. */
  public follow(role: iam.IRole): void {
    this.followers.push(role);
    for (const statement of this.statements) role.addToPrincipalPolicy(statement.copy());
  }

  public addToPrincipalPolicy(statement: iam.PolicyStatement): iam.AddToPrincipalPolicyResult {
    this.statements.push(statement);
    for (const role of this.followers) role.addToPrincipalPolicy(statement.copy());
    const result = this.role.addToPrincipalPolicy(statement);
    if (!result.statementAdded) this.refused.push(statement);
    return result;
  }

  public addToPolicy(statement: iam.PolicyStatement): boolean {
    return this.addToPrincipalPolicy(statement).statementAdded;
  }

  public attachInlinePolicy(policy: iam.Policy): void {
    this.role.attachInlinePolicy(policy);
  }

  public addManagedPolicy(policy: iam.IManagedPolicy): void {
    this.role.addManagedPolicy(policy);
  }

  public grant(grantee: iam.IPrincipal, ...actions: string[]): iam.Grant {
    return this.role.grant(grantee, ...actions);
  }

  public grantPassRole(grantee: iam.IPrincipal): iam.Grant {
    return this.role.grantPassRole(grantee);
  }

  public grantAssumeRole(grantee: iam.IPrincipal): iam.Grant {
    return this.role.grantAssumeRole(grantee);
  }
}

/**
 * Whether what a role was asked for has arrived anywhere. The CDK's immutable roles say that they took it, and have no policy; where roles
 * are customized, its own report tells what they need.
 */
function takesPolicies(role: iam.IRole): boolean {
  return role instanceof iam.Role || role.node.tryGetContext('@aws-cdk/iam:customizeRoles') !== undefined
    || policyResourcesOf(role).length > 0;
}

/** The policies that are attached to a role as its own. */
export function policyResourcesOf(role: IConstruct): (iam.CfnPolicy | iam.CfnManagedPolicy)[] {
  return role.node.findAll().filter((child): child is iam.CfnPolicy | iam.CfnManagedPolicy =>
    child instanceof iam.CfnPolicy || child instanceof iam.CfnManagedPolicy);
}
