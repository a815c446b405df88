import * as cdk from 'aws-cdk-lib';
import type { NamedTemplate, Template } from './types';

/** A stack that the validators look at. */
export interface Scenario {
  readonly name: string;
  build(app: cdk.App): cdk.Stack;
}

/** Synthesizes each scenario in an app of its own and returns the templates of all its stacks. */
export function synthesize(scenarios: readonly Scenario[]): NamedTemplate[] {
  return scenarios.flatMap((scenario) => {
    const app = new cdk.App({
      analyticsReporting: false,
      treeMetadata: false,
      // As the CDK CLI asks for it: suppressions and reports name resources by their construct paths.
      context: { [cdk.cx_api.PATH_METADATA_ENABLE_CONTEXT]: true },
    });
    scenario.build(app);
    const stacks = app.synth().stacks;
    const imports = Object.assign({}, ...stacks.map((stack) => exportsOf(stack.template)));
    return stacks.map((stack) => ({
      name: stacks.length === 1 ? scenario.name : `${scenario.name}/${stack.stackName}`,
      template: stack.template as Template,
      env: {
        account: fixed(stack.environment.account, 'unknown-account'),
        region: fixed(stack.environment.region, 'unknown-region'),
      },
      // Engines that walk the constructs see the whole app: once is enough.
      app: stack === stacks[0] ? app : undefined,
      imports,
    }));
  });
}

function fixed(value: string, unknown: string): string | undefined {
  return value === unknown ? undefined : value;
}

/** Exported values by name, as far as the name is plain text. */
function exportsOf(template: Template): Record<string, unknown> {
  const named = Object.values(template.Outputs ?? {}).filter((output) => typeof output.Export?.Name === 'string');
  return Object.fromEntries(named.map((output) => [output.Export.Name, output.Export.Name]));
}
