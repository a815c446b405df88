import { aws_config as config, aws_ec2 as ec2, Aws, CfnCondition, CfnResource, Fn, Names, Tags } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { Network } from '../network/network';
import { WorkerType } from '../worker-type';
import { ComplianceOptions } from './compliance-options';
import { WatchingRule, WATCHING_RULES } from './config-rules';

/** Of the tag by which AWS Config finds what belongs to a worker. */
const TAG = 'cdk-prefect-fargate-worker';

export interface ComplianceProps {
  readonly network: Network;
  readonly workerType: WorkerType;
  readonly options?: ComplianceOptions;
}

/** AWS Config's rules for exactly what the worker is made of: the last room, which looks at all that the others made. */
export class Compliance extends Construct {
  constructor(scope: Construct, id: string, private readonly props: ComplianceProps) {
    super(scope, id);
    if (!props.options?.configRules) return;

    const name = Names.uniqueResourceName(scope, { maxLength: 256 });
    Tags.of(scope).add(TAG, name);
    const made = new Set(scope.node.findAll().filter(CfnResource.isCfnResource).map(resource => resource.cfnResourceType));
    for (const rule of WATCHING_RULES) {
      const fits = rule.workerType === undefined || rule.workerType === props.workerType;
      if (fits && made.has(rule.type)) this.watch(rule, config.RuleScope.fromTag(TAG, name));
    }
    this.watchDefaultSecurityGroup();
  }

  /** CloudFormation makes no tags on the group that comes with a VPC, so this rule goes by its id. */
  private watchDefaultSecurityGroup(): void {
    const { vpc, closesDefaultGroup } = this.props.network;
    if (!closesDefaultGroup) return;
    this.watch({
      id: 'DefaultSecurityGroupClosed',
      identifier: config.ManagedRuleIdentifiers.VPC_DEFAULT_SECURITY_GROUP_CLOSED,
      type: 'AWS::EC2::SecurityGroup',
      finding: 'The default security group of the worker\'s VPC lets something in or out.',
      wayOut: 'Remove its rules: what the worker has uses groups of its own.',
    }, config.RuleScope.fromResource(config.ResourceType.EC2_SECURITY_GROUP, (vpc as ec2.Vpc).vpcDefaultSecurityGroup));
  }

  private watch(rule: WatchingRule, ruleScope: config.RuleScope): void {
    const managed = new config.ManagedRule(this, rule.id, {
      identifier: rule.identifier,
      description: `${rule.finding} ${rule.wayOut}`,
      inputParameters: rule.parameters,
      ruleScope,
    });
    if (rule.lackingIn) {
      (managed.node.defaultChild as CfnResource).cfnOptions.condition = this.outside(rule.lackingIn);
    }
  }

  private outside(place: string): CfnCondition {
    const id = place === 'aws-us-gov' ? 'OutsideGovCloud' : 'OutsideNingxia';
    return this.node.tryFindChild(id) as CfnCondition ?? new CfnCondition(this, id, {
      expression: Fn.conditionNot(Fn.conditionEquals(place === 'aws-us-gov' ? Aws.PARTITION : Aws.REGION, place)),
    });
  }
}
