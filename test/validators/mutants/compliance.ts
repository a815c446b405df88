import { first, Mutant } from './mutant';
import type { Template } from '../types';

const rule = (template: Template, identifier: string) =>
  first(template, 'AWS::Config::ConfigRule', ({ Source }) => Source.SourceIdentifier === identifier)[1];

export const complianceMutants: Mutant[] = [
  { name: 'AWS Config rule that looks for a credential that Prefect doesn\'t have', caughtBy: 'prefect', edit: (template) => { rule(template, 'ECS_NO_ENVIRONMENT_SECRETS').Properties!.InputParameters.secretKeys = 'PREFECT_KEY'; } },
  {
    name: 'AWS Config rule for the whole account',
    caughtBy: 'config-rules',
    edit: (template) => delete rule(template, 'ECS_CONTAINERS_NONPRIVILEGED').Properties!.Scope,
  },
  {
    name: 'AWS Config rule by a tag that nothing has',
    caughtBy: 'config-rules',
    edit: (template) => rule(template, 'ECS_CONTAINERS_NONPRIVILEGED').Properties!.Scope.TagValue = 'other',
  },
  {
    name: 'AWS Config rule that is evaluated at intervals',
    caughtBy: 'config-rules',
    edit: (template) => rule(template, 'VPC_DEFAULT_SECURITY_GROUP_CLOSED').Properties!.Source.SourceIdentifier = 'VPC_FLOW_LOGS_ENABLED',
  },
  {
    name: 'AWS Config rule for what is not there',
    caughtBy: 'config-rules',
    edit: (template) => rule(template, 'ECS_CONTAINERS_NONPRIVILEGED').Properties!.Source.SourceIdentifier = 'DYNAMODB_PITR_ENABLED',
  },
  {
    name: 'AWS Config rule that judges another type than its scope',
    caughtBy: 'config-rules',
    edit: (template) => rule(template, 'VPC_DEFAULT_SECURITY_GROUP_CLOSED').Properties!.Scope.ComplianceResourceTypes = ['AWS::EC2::VPC'],
  },
  {
    name: 'AWS Config rule without its parameter',
    caughtBy: 'config-rules',
    edit: (template) => delete rule(template, 'ECS_NO_ENVIRONMENT_SECRETS').Properties!.InputParameters,
  },
  {
    name: 'AWS Config rule where GovCloud has none',
    caughtBy: 'config-rules',
    edit: (template) => delete rule(template, 'ECS_NO_ENVIRONMENT_SECRETS').Condition,
  },
  {
    name: 'WAF rule group misspelt',
    caughtBy: 'names',
    edit: (template) => template.Resources.MutantAcl = {
      Type: 'AWS::WAFv2::WebACL',
      Properties: { Rules: [{ Name: 'common', Priority: 0, Statement: { ManagedRuleGroupStatement: { VendorName: 'AWS', Name: 'AWSManagedRulesCoreRuleSet' } } }] },
    },
  },
];
