import { Annotations, aws_iam as iam, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { policyText } from '../private/policy-text';
import { RecordedRole } from '../private/recorded-role';
import { invalid, isResolved } from '../private/validation';

/** The service that takes on the roles of tasks. */
export const TASK_SERVICE = 'ecs-tasks.amazonaws.com';

/** Roles that users bring. They get what this app may give them, and a warning lists the rest. */
export class GivenRoles {
  private readonly roles = new Map<iam.IRole, { readonly role: iam.IRole; readonly uses: string[] }>();

  /**
   * @param scope where recorded roles are
   * @param worker whose roles they are
   */
  constructor(private readonly scope: Construct, private readonly worker: Construct) {}

  /**
   * The role as this library uses it. One that this app can't change is recorded, once for all that it is for.
   *
   * @param use what it is for: a prop's name, or a method's
   */
  public take(role: iam.IRole, use: string): iam.IRole {
    const taken = this.roles.get(role);
    if (taken) {
      taken.uses.push(use);
      return taken.role;
    }
    requireOwnAccount(this.worker, role, use);
    const uses = [use];
    const used = role instanceof iam.Role ? role : new RecordedRole(this.scope, `Given${this.roles.size + 1}`, role);
    this.roles.set(role, { role: used, uses });
    this.worker.node.addValidation({
      validate: () => {
        if (used instanceof RecordedRole) this.warnOfLacking(used, uses);
        return role instanceof iam.Role && !isForTasks(role) ? [untrusting(role, uses)] : [];
      },
    });
    return used;
  }

  private warnOfLacking({ role, lacking }: RecordedRole, uses: readonly string[]): void {
    if (lacking.length === 0) return;
    // Below the worker: what was acknowledged before is heard only of ancestors by older versions of the CDK.
    Annotations.of(this.scope).addWarningV2('cdk-prefect-fargate-worker:roleLacksPermissions',
      `The role ${isResolved(role.roleArn) ? role.roleArn : role.node.path}, given as ${uses.join(' and ')}, is not changed by this app, and needs these permissions. `
      + `Values known only at deployment are written as in Fn::Sub. Acknowledge this warning once the role has them:\n${policyText(Stack.of(this.worker), lacking)}`);
  }
}

/** @see https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html */
function requireOwnAccount(worker: Construct, role: iam.IRole, use: string): void {
  const [ours, theirs] = [Stack.of(worker).account, role.env.account];
  if (!isResolved(ours) || !isResolved(theirs) || ours === theirs) return;
  throw invalid(use, isResolved(role.roleArn) ? role.roleArn : role.node.path,
    `it is in the account ${theirs}, and roles are passed to Amazon ECS only within theirs; give a role of ${ours}, which may assume that one.`);
}

/** Whether ECS may use a role of this app for tasks, as far as its trust policy shows. */
function isForTasks(role: iam.Role): boolean {
  const statements: any[] = Stack.of(role).resolve(role.assumeRolePolicy)?.Statement ?? [];
  return statements.filter(({ Effect }) => Effect === 'Allow').some(({ Principal }) =>
    Principal === '*' || Principal?.AWS === '*' || [Principal?.Service ?? []].flat().some(service => typeof service !== 'string' || service === TASK_SERVICE));
}

function untrusting(role: iam.Role, uses: readonly string[]): string {
  return `The role ${role.node.path}, given as ${uses.join(' and ')}, is not for Amazon ECS: no task could start with it. Let the service take it on with `
    + `assumedBy: new iam.ServicePrincipal('${TASK_SERVICE}'), or role.assumeRolePolicy.addStatements() for one that others use too.`;
}
