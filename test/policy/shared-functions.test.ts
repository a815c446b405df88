import { PolicySimulator } from './simulate';
import { scenarios } from '../scenarios';
import { synthesize } from '../validators/synth';

/** Of two workers that share the functions: what these may do is what the two pools need, and no more. */
const [{ template }] = synthesize(scenarios.filter(({ name }) => name === 'two-workers'));
const simulator = new PolicySimulator(template);
// The first question of a service reads what AWS says of its actions.
jest.setTimeout(60_000);
const arn = (service: string, rest: string) => simulator.resolver.formatArn(service, rest);
const cluster = simulator.arn('Cluster/Cluster', 'AWS::ECS::Cluster');
const name = cluster.split('/').pop();
const inCluster = { 'ecs:cluster': cluster };
const inOther = { 'ecs:cluster': arn('ecs', 'cluster/other') };
const services = ['Processes/Service/Service/Service', 'Tasks/Service/Service/Service'].map(path => simulator.arn(path, 'AWS::ECS::Service'));
const other = arn('ecs', `service/${name}/other`);
const task = (where: string) => arn('ecs', `task/${where}/0123456789abcdef0123456789abcdef`);
const [reconciler, publisher, pools] = ['Rescue/Role', 'Demand/Role', 'WorkPool/Role'];

test.each<[string, string, string, string, Record<string, string>?]>([
  ...services.flatMap((service): [string, string, string, string, Record<string, string>?][] => [
    ['the reconciler restarts a worker', reconciler, 'ecs:UpdateService', service, inCluster],
    ['the publisher looks at a service', publisher, 'ecs:DescribeServices', service],
  ]),
  ['the reconciler looks at a task', reconciler, 'ecs:DescribeTasks', task(name!), inCluster],
  ['the reconciler stops a flow run\'s task', reconciler, 'ecs:StopTask', task(name!), inCluster],
  ['the pools\' function ends a flow run\'s task', pools, 'ecs:StopTask', task(name!), inCluster],
  ['the publisher sets the number of the workers that follow demand', publisher, 'ecs:UpdateService', services[0], inCluster],
  ['the publisher asks which of them are protected', publisher, 'ecs:GetTaskProtection', task(name!), inCluster],
  ['the reconciler reads the key', reconciler, 'secretsmanager:GetSecretValue', simulator.arn('ApiKey')],
  ['the publisher publishes', publisher, 'cloudwatch:PutMetricData', '*', { 'cloudwatch:namespace': 'PrefectFargateWorker' }],
])('%s', async (_, role, action, resource, context = {}) => {
  expect(await simulator.decide(role, { action, resource, context })).toMatchObject({ allowed: true });
});

test.each<[string, string, string, string, Record<string, string>?]>([
  ['the reconciler does not restart another service of the cluster', reconciler, 'ecs:UpdateService', other, inCluster],
  ['the publisher does not look at another service', publisher, 'ecs:DescribeServices', other],
  ['the publisher does not set a number that is fixed', publisher, 'ecs:UpdateService', services[1], inCluster],
  ['the publisher does not set that of another service', publisher, 'ecs:UpdateService', other, inCluster],
  ['the publisher protects no task', publisher, 'ecs:UpdateTaskProtection', task(name!), inCluster],
  ['the publisher looks at no task of another cluster', publisher, 'ecs:DescribeTasks', task('other'), inOther],
  ['the publisher publishes for nobody else', publisher, 'cloudwatch:PutMetricData', '*', { 'cloudwatch:namespace': 'AWS/ECS' }],
  ['the reconciler stops no task of another cluster', reconciler, 'ecs:StopTask', task('other'), inOther],
  ['the pools\' function stops no task of another cluster', pools, 'ecs:StopTask', task('other'), inOther],
  ['the pools\' function restarts no worker', pools, 'ecs:UpdateService', services[0], inCluster],
  ['the reconciler reads no other secret', reconciler, 'secretsmanager:GetSecretValue', arn('secretsmanager', 'secret:database-a1b2c3')],
  ['who relays for CloudFormation reads no secret', 'WorkPoolProvider/Role', 'secretsmanager:GetSecretValue', simulator.arn('ApiKey')],
  ['who relays for CloudFormation calls no other function', 'WorkPoolProvider/Role', 'lambda:InvokeFunction', arn('lambda', 'function:other')],
])('%s', async (_, role, action, resource, context = {}) => {
  expect(await simulator.decide(role, { action, resource, context })).toMatchObject({ allowed: false });
});
