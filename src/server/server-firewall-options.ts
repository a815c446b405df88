import { aws_wafv2 as wafv2 } from 'aws-cdk-lib';

/** The firewall before a public server: AWS WAF, with the exceptions that Prefect's clients need. */
export interface ServerFirewallOptions {
  /**
   * How many requests within five minutes an address may send before it is blocked for a while. Workers behind one NAT gateway share
   * its address. At least 10.
   *
   * @default 2000
   */
  readonly requestsPerFiveMinutes?: number;

  /**
   * Whether the rules only count what they would block: for the first days of a server, with an eye on the dashboard.
   *
   * @default false
   */
  readonly countOnly?: boolean;

  /**
   * Whether AWS's rules against SQL injection are there as well: in addresses, query strings and cookies they block, in bodies they only
   * count, because parameters and logs of flow runs hold SQL.
   *
   * @default false
   */
  readonly sqlInjectionRules?: boolean;

  /**
   * Rules of your own, which are looked at before the others: their priorities are from 0 to 99.
   *
   * @default - none
   */
  readonly rules?: wafv2.CfnWebACL.RuleProperty[];
}
