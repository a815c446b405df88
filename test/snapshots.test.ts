import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { scenarios } from './scenarios';
import './support/worker';

/**
 * Guards the ids of resources: another id is another resource, so the deployment of a new version of this library would
 * replace what users have. Change a snapshot only with a note in the changelog.
 */
describe('every resource keeps its id and its type:', () => {
  test.each(scenarios)('$name', ({ build }) => {
    const { Resources } = Template.fromStack(build(new App({ analyticsReporting: false, treeMetadata: false }))).toJSON();
    const ids = Object.entries<{ Type: string }>(Resources).map(([logicalId, { Type }]) => `${logicalId}: ${Type}`);
    expect(`\n${ids.sort().join('\n')}\n`).toMatchSnapshot();
  });
});
