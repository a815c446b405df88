import { App, aws_ec2 as ec2, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { PrefectServer, PrefectServerProps } from '../../src';

export const REGION = 'eu-central-1';

export function stackWithVpc(app = new App(), id = 'Stack') {
  const stack = new Stack(app, id, { env: { region: REGION, account: '123456789012' } });
  return { app, stack, vpc: new ec2.Vpc(stack, 'Vpc', { maxAzs: 2, natGateways: 1, restrictDefaultSecurityGroup: false }) };
}

/** A server, and the template of its stack. */
export function serverWith(props: Partial<PrefectServerProps> | ((stack: Stack, vpc: ec2.Vpc) => Partial<PrefectServerProps>) = {}) {
  const { app, stack, vpc } = stackWithVpc();
  const server = new PrefectServer(stack, 'Server', { vpc, ...typeof props === 'function' ? props(stack, vpc) : props });
  return { app, stack, vpc, server, template: () => Template.fromStack(stack) };
}

/** Containers of a part of the server, by their names, with what the template says. */
export function partOf(template: Template, part: string): { [container: string]: any } {
  const [definition] = Object.values(template.findResources('AWS::ECS::TaskDefinition')).map(({ Properties }) => Properties.ContainerDefinitions)
    .filter(containers => containers.some(({ LogConfiguration }: any) => LogConfiguration.Options['awslogs-stream-prefix'] === part));
  return Object.fromEntries(definition.map((container: any) => [container.Name, container]));
}

/** Variables of a container by their names. */
export function variablesOf({ Environment = [], Secrets = [] }: any): { [name: string]: any } {
  return Object.fromEntries([...Environment, ...Secrets].map(({ Name, Value, ValueFrom }: any) => [Name, Value ?? ValueFrom]));
}
