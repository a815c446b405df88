import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { report } from './report';
import { scenarios } from '../test/scenarios';
import { asArray, references } from '../test/validators/template';

/**
 * How long AWS CloudFormation takes to create a stack: the longest chain of resources of which each waits for the one before, by times that
 * others have published. `npm run bench:deploy [-- --update]`
 */
const SCENARIOS = ['ecs', 'process', 'existing-network', 'server'];

/** Seconds until a resource is there, and whose log says so. What is not here takes the time of a usual one. */
const USUAL = 5;
const SECONDS: Record<string, number> = {
  // https://github.com/go-to-k/cdkd/pull/123: 1 to 2 minutes, nearly all of a VPC's 125 s
  'AWS::EC2::NatGateway': 100,
  // https://github.com/cloudtools/stacker/pull/90: 15 s
  'AWS::EC2::VPC': 15,
  'AWS::EC2::InternetGateway': 15,
  'AWS::EC2::EIP': 15,
  // https://github.com/openshift/openshift-ansible-contrib/issues/1012: 15 s for each, before CloudFormation's events came sooner
  'AWS::EC2::Route': 15,
  // https://github.com/unbounce/iidy/issues/145: 20 s
  'AWS::IAM::Role': 20,
  'AWS::IAM::Policy': 15,
  // Estimates; nobody was found who has published a log.
  'AWS::EC2::VPCEndpoint': 60,
  'AWS::ServiceDiscovery::PrivateDnsNamespace': 50,
  'AWS::KMS::Key': 20,
  'AWS::SQS::Queue': 20,
  'AWS::ECS::Service': 120,
  'AWS::RDS::DBInstance': 480,
  'AWS::ElasticLoadBalancingV2::LoadBalancer': 150,
  // The copies of two images, by a function; a pool is created within seconds. Both include that the function starts.
  'Custom::ImageCopy': 30,
  'Custom::PrefectWorkPool': 10,
};
const secondsOf = (type: string) => SECONDS[type] ?? USUAL;

interface Step {
  readonly id: string;
  readonly type: string;
  /** When it begins and is there, in seconds from the start of the stack. */
  readonly from: number;
  readonly to: number;
  readonly after?: string;
}

/** When each resource is there, where CloudFormation begins with each as soon as it can. */
function schedule(resources: Record<string, any>): Map<string, Step> {
  const steps = new Map<string, Step>();
  const stepOf = (id: string): Step => {
    const known = steps.get(id);
    if (known) return known;
    const { Type: type, Properties, DependsOn } = resources[id];
    const before = [...new Set([...asArray(DependsOn), ...references(Properties)])].filter(other => other in resources && other !== id).map(stepOf);
    const last = before.reduce<Step | undefined>((latest, step) => (!latest || step.to > latest.to ? step : latest), undefined);
    const from = last?.to ?? 0;
    const step = { id, type, from, to: from + secondsOf(type), after: last?.id };
    steps.set(id, step);
    return step;
  };
  Object.keys(resources).forEach(stepOf);
  return steps;
}

/** The chain that ends last, from its first resource on. */
function criticalPath(steps: Map<string, Step>): Step[] {
  let last: Step | undefined = [...steps.values()].reduce((latest, step) => (step.to > latest.to ? step : latest));
  const path: Step[] = [];
  for (; last; last = last.after ? steps.get(last.after) : undefined) path.unshift(last);
  return path;
}

const minutes = (seconds: number) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;

const rows = SCENARIOS.map(name => {
  const stack = scenarios.find(scenario => scenario.name === name)!.build(new App({ analyticsReporting: false }));
  const { Resources: resources } = Template.fromStack(stack).toJSON();
  const steps = schedule(resources);
  const path = criticalPath(steps);
  const oneByOne = [...steps.values()].reduce((sum, { type }) => sum + secondsOf(type), 0);
  const chain = path.map(({ type, from, to }) => `${type.replace(/^AWS::/, '')} ${to - from}`).join(' → ');
  return `| ${name} | ${steps.size} | ${minutes(path[path.length - 1].to)} | ${minutes(oneByOne)} | ${chain} |`;
});
report('deploy', ['| scenario | resources | minutes | one by one | the chain that takes longest, in seconds |', '| --- | ---: | ---: | ---: | --- |', ...rows].join('\n'));
