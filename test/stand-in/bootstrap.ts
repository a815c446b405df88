import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CloudFormationClient, CreateStackCommand, waitUntilStackCreateComplete } from '@aws-sdk/client-cloudformation';
import { clientConfiguration, StandIn } from './stand-in';

const TEMPLATE = join(__dirname, '..', '..', 'node_modules', 'aws-cdk', 'lib', 'api', 'bootstrap', 'bootstrap-template.yaml');

/** What `cdk bootstrap` deploys with its own defaults, in half of the time. */
export async function bootstrap(standIn: StandIn): Promise<void> {
  const client = new CloudFormationClient(clientConfiguration(standIn));
  const parameters = { CloudFormationExecutionPolicies: 'arn:aws:iam::aws:policy/AdministratorAccess', FileAssetsBucketKmsKeyId: 'AWS_MANAGED_KEY' };
  await client.send(new CreateStackCommand({
    StackName: 'CDKToolkit',
    TemplateBody: readFileSync(TEMPLATE, 'utf8'),
    Capabilities: ['CAPABILITY_NAMED_IAM'],
    Parameters: Object.entries(parameters).map(([ParameterKey, ParameterValue]) => ({ ParameterKey, ParameterValue })),
  }));
  await waitUntilStackCreateComplete({ client, maxWaitTime: 120, minDelay: 1, maxDelay: 1 }, { StackName: 'CDKToolkit' });
}
