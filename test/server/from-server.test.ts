import { App, aws_ec2 as ec2, aws_route53 as route53, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { serverWith, stackWithVpc, variablesOf } from './app';
import { PrefectApi, PrefectFargateWorker, PrefectServer, ServerDatabase, WorkPool, WorkerType } from '../../src';

const workerOn = (scope: Stack, server: PrefectServer, props: { vpc?: ec2.IVpc; workerType?: WorkerType } = {}) =>
  new PrefectFargateWorker(scope, 'Worker', { api: PrefectApi.fromServer(server), workPool: WorkPool.managed('etl'), ...props });

const { stack, vpc, server } = serverWith();
const worker = workerOn(stack, server);
const template = Template.fromStack(stack);
const workerVariables = () => Object.values(template.findResources('AWS::ECS::TaskDefinition')).flatMap(({ Properties }) => Properties.ContainerDefinitions)
  .filter(({ Name }: any) => Name === 'worker').map(variablesOf)[0];

describe('a worker of a server in the same stack', () => {
  test('is in its VPC', () => {
    expect(worker.vpc).toBe(vpc);
    template.resourceCountIs('AWS::EC2::VPC', 1);
  });

  test('has its URL and its authentication string', () => {
    expect(workerVariables().PREFECT_API_URL).toBe(server.apiUrl);
    expect(workerVariables().PREFECT_API_AUTH_STRING).toEqual(stack.resolve(server.authString.arn));
  });

  test('is let in, with its flow runs and its functions, and by nobody else', () => {
    const rules = Object.values(template.findResources('AWS::EC2::SecurityGroupIngress')).filter(({ Properties }) => Properties.FromPort === 4200).map(({ Properties }) => Properties);
    expect(rules.map(({ SourceSecurityGroupId }) => SourceSecurityGroupId['Fn::GetAtt'][0]).sort()).toEqual(
      worker.apiClients.securityGroups.map(group => stack.resolve(group.securityGroupId)['Fn::GetAtt'][0]).sort());
    expect(rules).toHaveLength(3);
  });

  test('has its pool created after the server answers', () => {
    const services = Object.keys(template.findResources('AWS::ECS::Service')).filter(id => id.startsWith('ServerServices'));
    expect(services).toHaveLength(1);
    const [pool] = Object.values(template.findResources('Custom::PrefectWorkPool'));
    expect(pool.DependsOn).toEqual(expect.arrayContaining(services));
  });
});

test('a worker of a server in another stack has the rules in its own, which depends on the server\'s', () => {
  const app = new App();
  const { stack: below, vpc: shared } = stackWithVpc(app, 'Below');
  const above = new Stack(app, 'Above', { env: { region: below.region, account: below.account } });
  workerOn(above, new PrefectServer(below, 'Server', { vpc: shared }), { workerType: WorkerType.PROCESS });
  Template.fromStack(above).hasResourceProperties('AWS::EC2::SecurityGroupIngress', { FromPort: 4200, GroupId: { 'Fn::ImportValue': Match.stringLikeRegexp('Server') } });
  expect(JSON.stringify(Template.fromStack(below).toJSON())).not.toContain('Above');
  expect(above.dependencies.map(({ stackName }) => stackName)).toEqual(['Below']);
});

test('a worker reaches a server with a domain over HTTPS, through its load balancer', () => {
  const built = serverWith(scope => ({
    domain: { zone: route53.PublicHostedZone.fromPublicHostedZoneAttributes(scope, 'Zone', { hostedZoneId: 'Z1', zoneName: 'example.com' }), name: 'prefect.example.com' },
  }));
  workerOn(built.stack, built.server, { vpc: built.vpc });
  const group = { 'Fn::GetAtt': [Match.stringLikeRegexp('ServerAccessSecurityGroup'), 'GroupId'] };
  Template.fromStack(built.stack).hasResourceProperties('AWS::EC2::SecurityGroupIngress', { FromPort: 443, GroupId: group, SourceSecurityGroupId: { 'Fn::GetAtt': [Match.stringLikeRegexp('WorkerNetwork'), 'GroupId'] } });
  expect(built.server.apiUrl).toBe('https://prefect.example.com/api');
});

test('a server with a database of yours has a worker all the same', () => {
  const built = serverWith(() => ({ database: ServerDatabase.instance({ deletionProtection: false }) }));
  expect(() => workerOn(built.stack, built.server, { workerType: WorkerType.PROCESS })).not.toThrow();
});
