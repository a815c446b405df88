import { aws_ecs as ecs, Stack, Token } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { withRawOverrides } from './raw-overrides';
import { Fields } from './three-way-merge';

/** Fields of a task definition that the ECS API has, besides its containers, family, roles and size. */
const FIELDS = [
  'runtimePlatform', 'ephemeralStorage', 'volumes', 'ipcMode', 'pidMode', 'proxyConfiguration', 'placementConstraints',
  'enableFaultInjection',
] as const;

/**
 * An L2 task definition in the words of ECS' RegisterTaskDefinition, with its tags. Only at the end of synthesis is it complete.
 *
 * @see https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html
 */
export function registeredTaskDefinition(scope: Construct, taskDefinition: ecs.TaskDefinition): Fields {
  const resource = taskDefinition.node.defaultChild as ecs.CfnTaskDefinition;
  const properties = Stack.of(scope).resolve({
    ...Object.fromEntries(FIELDS.map(field => [field, resource[field]])),
    containerDefinitions: resource.containerDefinitions,
    tags: resource.tags.renderTags(),
  });
  const overridden = withRawOverrides(resource, properties);
  const registered: Fields = Object.fromEntries([...FIELDS, 'containerDefinitions', 'tags'].map(field => [field, overridden[field]]));
  return tidy({ ...registered, volumes: registered.volumes?.map(inApiNames) });
}

/** The one field that CloudFormation spells in another way. */
function inApiNames({ efsVolumeConfiguration: efs, ...volume }: Fields): Fields {
  if (!efs) return volume;
  const { filesystemId, ...rest } = efs;
  return { ...volume, efsVolumeConfiguration: { fileSystemId: filesystemId, ...rest } };
}

/** Without the empty lists that CDK writes where nothing was given, and with tokens again for intrinsic functions: JSON text knows only those. */
function tidy(value: any): any {
  if (Array.isArray(value)) return value.map(tidy);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.keys(value);
  if (fields.length === 1 && /^(Ref|Fn::.*)$/.test(fields[0])) return Token.asAny(value);
  return Object.fromEntries(Object.entries(value)
    .filter(([, inner]) => inner !== undefined && !(Array.isArray(inner) && inner.length === 0))
    .map(([field, inner]) => [field, tidy(inner)]));
}
