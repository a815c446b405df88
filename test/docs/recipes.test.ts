import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { recipes } from './recipes';

const app = () => new App({ analyticsReporting: false, treeMetadata: false });

test('every example is tested', () => {
  const files = readdirSync(join(__dirname, '..', '..', 'examples')).filter(name => name.endsWith('.ts'));
  expect(Object.keys(recipes).sort()).toEqual(files.map(name => basename(name, '.ts')).sort());
});

describe.each(Object.entries(recipes))('example %s', (_, { build, works }) => {
  const stack = build(app());
  const template = Template.fromStack(stack);

  test('does what its recipe says', () => works(template));

  test('is synthesized without an error or a warning', () => {
    // Of the synthesis above: the CDK can't customize roles in a second one.
    const { messages } = (stack.node.root as App).synth().getStackArtifact(stack.artifactId);
    // What the CDK says of an app's own VPC and references between its stacks is the app's.
    const isOfApp = (text: unknown) => /\[ack: @aws-cdk\/(core:crossStackReferences|aws-ec2:noSubnetRouteTableId)/.test(String(text));
    expect(messages.filter(({ level, entry }) => level === 'error' || level === 'warning' && !isOfApp(entry.data)).map(({ entry }) => entry.data)).toEqual([]);
  });
});
