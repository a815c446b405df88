import { asArray, ofType, props, targetOf, targets } from './template';
import type { Template } from './types';

/** A task definition that runs a part of a Prefect server. */
export interface ServerPart {
  readonly logicalId: string;
  readonly kind: 'api' | 'services' | 'migration';
  /** The container with Prefect in it, as the template has it. */
  readonly container: any;
  readonly containers: readonly any[];
  /** Its task role, which the parts of a server share. */
  readonly role: string | undefined;
  /** ECS services that run it. */
  readonly services: readonly string[];
}

/** The parts of each server of the template. */
export function serversOf(template: Template): ServerPart[][] {
  const parts = ofType(template, 'AWS::ECS::TaskDefinition').flatMap(([logicalId, { Properties = {} }]): ServerPart[] => {
    const containers = asArray<any>(Properties.ContainerDefinitions);
    const container = containers.find(({ Command }) => kindOf(asArray(Command)));
    return container ? [{
      logicalId,
      kind: kindOf(container.Command)!,
      container,
      containers,
      role: targetOf(template, Properties.TaskRoleArn),
      services: ofType(template, 'AWS::ECS::Service').filter(([, service]) => targetOf(template, service.Properties?.TaskDefinition) === logicalId).map(([id]) => id),
    }] : [];
  });
  return [...new Set(parts.map(({ role }) => role))].map((role) => parts.filter((part) => part.role === role));
}

function kindOf(command: string[]): ServerPart['kind'] | undefined {
  const words = command.slice(command.indexOf('prefect')).join(' ');
  if (/^prefect server services start/.test(words)) return 'services';
  if (/^prefect server database upgrade/.test(words)) return 'migration';
  return /^prefect server start/.test(words) ? 'api' : undefined;
}

/** What a part has under a variable, secret or not, as the template has it. */
export function valueOf({ container }: ServerPart, name: string): any {
  const { Value, ValueFrom } = variables(container).find(({ Name }) => Name === name) ?? {};
  return Value ?? ValueFrom;
}

/** What the variables of a part that begin so are called. */
export function namesOf({ container }: ServerPart, pattern: RegExp): string[] {
  return variables(container).map(({ Name }) => String(Name)).filter((name) => pattern.test(name));
}

function variables({ Environment, Secrets }: any): any[] {
  return [...asArray<any>(Environment), ...asArray<any>(Secrets)];
}

/** A database or a cache of the template that a part connects to: its port, and the security groups that it is in. */
export interface Store {
  readonly logicalId: string;
  readonly port: number;
  readonly groups: readonly string[];
  /** The variable that names it. */
  readonly variable: string;
}

const STORES = [['PREFECT_SERVER_DATABASE_HOST', 5432], ['PREFECT_REDIS_MESSAGING_HOST', 6379]] as const;

export function storesOf(template: Template, part: ServerPart): Store[] {
  return STORES.flatMap(([variable, usual]) => {
    const logicalId = targetOf(template, valueOf(part, variable));
    if (!logicalId) return [];
    const { Port = usual, VpcSecurityGroupIds, VPCSecurityGroups, SecurityGroupIds } = props(template, logicalId);
    return [{ logicalId, port: Number(Port), groups: targets(template, VpcSecurityGroupIds ?? VPCSecurityGroups ?? SecurityGroupIds), variable }];
  });
}
