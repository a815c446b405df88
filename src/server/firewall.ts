import { ArnFormat, Aws, aws_cloudwatch as cloudwatch, aws_kms as kms, aws_logs as logs, aws_wafv2 as wafv2, Duration, Names, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { ServerFirewallOptions } from './server-firewall-options';
import { invalid, isResolved, requireWholeNumber } from '../private/validation';

export interface FirewallProps {
  readonly options: ServerFirewallOptions;
  /** ARN of the load balancer that it stands before. */
  readonly resourceArn: string;
  readonly encryptionKey: kms.IKey;
  readonly logRetention: logs.RetentionDays;
}

/** Where the rules of this construct begin; yours are before them. */
const FIRST_PRIORITY = 100;
/** Requests a minute and address. */
const RATE = 2000;

/** A group of AWS's rules, and those of it that only count. */
interface ManagedGroup {
  readonly name: string;
  readonly counted: readonly string[];
}

/**
 * Bodies of Prefect's requests are over the 8 KB that AWS WAF looks at (logs, artifacts, work pools, parameters), and hold what flows work
 * with: SQL, HTML, addresses. Blocked, a request is not tried again: its flow run would stay Running, and its logs would be lost. Paths hold
 * names of people's blocks and variables, such as `settings.ini`.
 *
 * @see https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-baseline.html
 */
const GROUPS: readonly ManagedGroup[] = [
  { name: 'AWSManagedRulesAmazonIpReputationList', counted: [] },
  {
    name: 'AWSManagedRulesKnownBadInputsRuleSet',
    counted: ['JavaDeserializationRCE_BODY', 'Log4JRCE_BODY', 'ReactJSRCE_BODY'],
  },
  {
    name: 'AWSManagedRulesCommonRuleSet',
    counted: ['SizeRestrictions_BODY', 'GenericRFI_BODY', 'GenericLFI_BODY', 'EC2MetaDataSSRF_BODY', 'CrossSiteScripting_BODY', 'RestrictedExtensions_URIPATH'],
  },
];
const SQL_INJECTION: ManagedGroup = { name: 'AWSManagedRulesSQLiRuleSet', counted: ['SQLi_BODY', 'SQLiExtendedPatterns_BODY'] };

/** Headers that say who somebody is. */
const REDACTED = ['authorization', 'cookie', 'prefect-csrf-token'];

/** The web ACL before a public server, and its logs. */
export class Firewall extends Construct {
  public readonly webAcl: wafv2.CfnWebACL;
  /** As CloudWatch has it in its metrics. */
  public readonly metricName: string;

  constructor(scope: Construct, id: string, private readonly props: FirewallProps) {
    super(scope, id);
    this.metricName = Names.uniqueResourceName(this, { maxLength: 100 });
    // There is no L2.
    this.webAcl = new wafv2.CfnWebACL(this, 'WebAcl', {
      description: `Before the Prefect server ${scope.node.path}`,
      scope: 'REGIONAL',
      defaultAction: { allow: {} },
      rules: [...props.options.rules ?? [], ...this.rules()],
      visibilityConfig: this.visibility(this.metricName),
    });
    const association = new wafv2.CfnWebACLAssociation(this, 'Association', { resourceArn: props.resourceArn, webAclArn: this.webAcl.attrArn });
    association.node.addDependency(this.webAcl);
    this.log();
  }

  private rules(): wafv2.CfnWebACL.RuleProperty[] {
    const { countOnly = false, requestsPerFiveMinutes = RATE, sqlInjectionRules = false } = this.props.options;
    const groups = sqlInjectionRules ? [...GROUPS, SQL_INJECTION] : GROUPS;
    return [
      {
        name: 'Rate',
        priority: FIRST_PRIORITY,
        statement: { rateBasedStatement: { aggregateKeyType: 'IP', limit: requestsPerFiveMinutes, evaluationWindowSec: 300 } },
        action: countOnly ? { count: {} } : { block: {} },
        visibilityConfig: this.visibility('Rate'),
      },
      ...groups.map(({ name, counted }, index): wafv2.CfnWebACL.RuleProperty => ({
        name,
        priority: FIRST_PRIORITY + 10 * (index + 1),
        statement: {
          managedRuleGroupStatement: {
            vendorName: 'AWS',
            name,
            ruleActionOverrides: counted.length === 0 ? undefined : counted.map(rule => ({ name: rule, actionToUse: { count: {} } })),
          },
        },
        overrideAction: countOnly ? { count: {} } : { none: {} },
        visibilityConfig: this.visibility(name),
      })),
    ];
  }

  /** Requests that were blocked in a minute, by whatever rule. */
  public blockedRequests(options: cloudwatch.MetricOptions = {}): cloudwatch.Metric {
    return this.metric('BlockedRequests', 'ALL', { label: 'Blocked', ...options });
  }

  /** Requests that rules counted, rule by rule: what they would have blocked. */
  public counted(options: cloudwatch.MetricOptions = {}): cloudwatch.Metric[] {
    return this.rules().map(({ name }) => this.metric('CountedRequests', name, { label: name, ...options }));
  }

  private metric(metricName: string, rule: string, options: cloudwatch.MetricOptions): cloudwatch.Metric {
    return new cloudwatch.Metric({
      namespace: 'AWS/WAFV2',
      metricName,
      dimensionsMap: { WebACL: this.metricName, Rule: rule, Region: Stack.of(this).region },
      statistic: cloudwatch.Stats.SUM,
      period: Duration.minutes(1),
      ...options,
    });
  }

  private visibility(metricName: string): wafv2.CfnWebACL.VisibilityConfigProperty {
    return { cloudWatchMetricsEnabled: true, sampledRequestsEnabled: false, metricName };
  }

  /** @see https://docs.aws.amazon.com/waf/latest/developerguide/logging-cw-logs.html */
  private log(): void {
    // AWS WAF writes to names of this beginning alone.
    const logGroupName = `aws-waf-logs-${Aws.STACK_NAME}-${Names.uniqueResourceName(this, { maxLength: 200 })}`;
    const logGroup = new logs.LogGroup(this, 'Logs', {
      logGroupName,
      encryptionKey: this.props.encryptionKey,
      retention: this.props.logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    // Not the group's own attribute, which ends in `:*`.
    const destination = Stack.of(this).formatArn({ service: 'logs', resource: 'log-group', resourceName: logGroupName, arnFormat: ArnFormat.COLON_RESOURCE_NAME });
    const logging = new wafv2.CfnLoggingConfiguration(this, 'Logging', {
      resourceArn: this.webAcl.attrArn,
      logDestinationConfigs: [destination],
      redactedFields: REDACTED.map(name => ({ singleHeader: { Name: name } })),
    });
    logging.node.addDependency(logGroup);
  }
}

/** Throws for what AWS WAF refuses, and for rules that would be in the place of others. */
export function requireFirewall({ requestsPerFiveMinutes, rules = [] }: ServerFirewallOptions): void {
  requireWholeNumber('firewall.requestsPerFiveMinutes', requestsPerFiveMinutes, 10);
  for (const { name, priority } of rules) {
    if (isResolved(priority) && (priority < 0 || priority >= FIRST_PRIORITY)) {
      throw invalid(`firewall.rules.${name}.priority`, priority, `give one from 0 to ${FIRST_PRIORITY - 1}; the rules of this construct have those behind it.`);
    }
  }
}
