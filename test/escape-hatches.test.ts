import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { aws_ecs as ecs, Aws, CfnResource, Stack, Token } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { PrefectFargateWorker } from '../src';
import { addWorker, configurationOf, flowRunContainer, newStack, resource, text } from './support/worker';

const document = readFileSync(join(__dirname, '..', 'docs', 'escape-hatches.md'), 'utf8');
const rows = [...document.matchAll(/^\| [^|]+ \| `((?:worker|Stack)\.[^`]+)` \| `(AWS::[\w:]+)` \|$/gm)].map(([, path, type]) => [path, type] as const);

describe('the table of escape hatches', () => {
  test('has rows', () => {
    expect(rows.length).toBeGreaterThan(15);
    expect(document.match(/^\| /gm)).toHaveLength(rows.length + 2);
  });

  test.each(rows)('%s leads to a resource %s, and what is overridden there is deployed', (path, type) => {
    const stack = newStack();
    const worker = addWorker(stack);
    const found = new Function('worker', 'Stack', `return ${path};`)(worker, Stack) as CfnResource;
    expect(found.cfnResourceType).toBe(type);
    found.addPropertyOverride('Escaped', 'yes');
    expect(Template.fromStack(stack).toJSON().Resources[stack.resolve(found.logicalId)].Properties.Escaped).toBe('yes');
  });
});

describe('of the flow runs\' task definition', () => {
  const synthesized = (change: (resource: ecs.CfnTaskDefinition, worker: PrefectFargateWorker) => void) => {
    const stack = newStack();
    const worker = addWorker(stack);
    change(worker.flowRunTaskDefinition.node.defaultChild as ecs.CfnTaskDefinition, worker);
    return Template.fromStack(stack);
  };
  const registered = (template: Template) => configurationOf(template).template.taskDefinition;

  test('a property that is set reaches the flow runs', () => {
    expect(registered(synthesized(definition => { definition.pidMode = 'task'; })).pidMode).toBe('task');
  });

  test('an override reaches the flow runs, in the words of the ECS API', () => {
    const template = synthesized((definition, worker) => {
      worker.flowRunTaskDefinition.addVolume({ name: 'scratch' });
      definition.addPropertyOverride('PidMode', 'task');
      definition.addPropertyOverride('ContainerDefinitions.0.DockerLabels.Team-Name', 'Data');
      definition.addPropertyOverride('ContainerDefinitions.0.VersionConsistency', 'disabled');
      definition.addPropertyOverride('ContainerDefinitions.0.Ulimits', [{ Name: 'nofile', SoftLimit: 4096, HardLimit: 4096 }]);
      definition.addPropertyOverride('Volumes.0.EFSVolumeConfiguration', { FilesystemId: Token.asAny({ Ref: 'Files' }), TransitEncryption: 'ENABLED' });
    });
    expect(registered(template)).toMatchObject({
      pidMode: 'task', volumes: [{ name: 'scratch', efsVolumeConfiguration: { fileSystemId: '{Files}', transitEncryption: 'ENABLED' } }],
    });
    expect(flowRunContainer(template)).toMatchObject({
      dockerLabels: { 'Team-Name': 'Data' }, versionConsistency: 'disabled', ulimits: [{ name: 'nofile', softLimit: 4096, hardLimit: 4096 }],
    });
    expect(resource(template, 'AWS::ECS::TaskDefinition', /FlowRun/).Properties).toMatchObject({ PidMode: 'task' });
  });

  test('an override that deletes takes the field from the flow runs', () => {
    const template = synthesized(definition => definition.addPropertyDeletionOverride('ContainerDefinitions.0.StopTimeout'));
    expect(flowRunContainer(synthesized(() => {}))).toHaveProperty('stopTimeout');
    expect(flowRunContainer(template)).not.toHaveProperty('stopTimeout');
  });

  test('an override with a token is resolved at deployment', () => {
    const template = synthesized(definition => definition.addPropertyOverride('ContainerDefinitions.0.Hostname', `host-${Aws.REGION}`));
    expect(flowRunContainer(template).hostname).toBe('host-{AWS::Region}');
    expect(text(resource(template, 'AWS::ECS::TaskDefinition', /FlowRun/).Properties.ContainerDefinitions[0].Hostname)).toBe('host-{AWS::Region}');
  });
});
