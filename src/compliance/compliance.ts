import { aws_config as config, aws_ec2 as ec2, Aws, CfnCondition, CfnResource, Fn, Names, Tags } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { Network } from '../network/network';
import { shared, sharedOf } from '../private/shared';
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

/** AWS Config's rules for exactly the worker's resources, and what it shares with the others of the stack: the last module, which looks at all that the others created. */
export class Compliance extends Construct {
  constructor(scope: Construct, id: string, private readonly props: ComplianceProps) {
    super(scope, id);
    if (!props.options?.configRules) return;

    this.watchTagged(this, scope);
    // Of whichever worker of the stack asks for it.
    this.watchTagged(shared(scope, 'Compliance', (own, name) => new Construct(own, name)), sharedOf(scope));
    this.watchDefaultSecurityGroup();
  }

  /** All below a construct, by a tag that it gets. */
  private watchTagged(rules: Construct, watched: Construct): void {
    const { workerType } = this.props;
    const name = Names.uniqueResourceName(watched, { maxLength: 256 });
    Tags.of(watched).add(TAG, name);
    const made = new Set(watched.node.findAll().filter(CfnResource.isCfnResource).map(resource => resource.cfnResourceType));
    for (const rule of WATCHING_RULES) {
      const fits = rule.workerType === undefined || rule.workerType === workerType;
      if (fits && made.has(rule.type) && !rules.node.tryFindChild(rule.id)) this.watch(rules, rule, config.RuleScope.fromTag(TAG, name));
    }
  }

  /** CloudFormation makes no tags on the group that comes with a VPC, so this rule goes by its id. */
  private watchDefaultSecurityGroup(): void {
    const { vpc, restrictsDefaultSecurityGroup } = this.props.network;
    if (!restrictsDefaultSecurityGroup) return;
    this.watch(this, {
      id: 'DefaultSecurityGroupClosed',
      identifier: config.ManagedRuleIdentifiers.VPC_DEFAULT_SECURITY_GROUP_CLOSED,
      type: 'AWS::EC2::SecurityGroup',
      finding: 'The default security group of the worker\'s VPC lets something in or out.',
      fix: 'Remove its rules: what the worker has uses groups of its own.',
    }, config.RuleScope.fromResource(config.ResourceType.EC2_SECURITY_GROUP, (vpc as ec2.Vpc).vpcDefaultSecurityGroup));
  }

  private watch(scope: Construct, rule: WatchingRule, ruleScope: config.RuleScope): void {
    const managed = new config.ManagedRule(scope, rule.id, {
      identifier: rule.identifier,
      description: `${rule.finding} ${rule.fix}`,
      inputParameters: rule.parameters,
      ruleScope,
    });
    if (rule.lackingIn) {
      (managed.node.defaultChild as CfnResource).cfnOptions.condition = outside(scope, rule.lackingIn);
    }
  }
}

function outside(scope: Construct, place: string): CfnCondition {
  const id = place === 'aws-us-gov' ? 'OutsideGovCloud' : 'OutsideNingxia';
  return scope.node.tryFindChild(id) as CfnCondition ?? new CfnCondition(scope, id, {
    expression: Fn.conditionNot(Fn.conditionEquals(place === 'aws-us-gov' ? Aws.PARTITION : Aws.REGION, place)),
  });
}
