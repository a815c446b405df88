import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { pythonEnvironment } from '../../python/environment';
import { Resolver } from '../intrinsics';
import { asArray, ofType } from '../template';
import type { Rule } from '../types';

interface ManagedRule {
  readonly 'AWS Region': string;
  readonly 'Parameters': { Name: string; Optional: boolean; Default?: string }[];
  readonly 'Resource Types': string;
  readonly 'Trigger type': string;
}

/** What AWS documents of its managed rules, as moto keeps it. */
async function documented(): Promise<Record<string, ManagedRule>> {
  const lib = join(dirname((await pythonEnvironment()).bin), 'lib');
  const file = join(lib, readdirSync(lib)[0], 'site-packages', 'moto', 'config', 'resources', 'aws_managed_rules.json.gz');
  return JSON.parse(gunzipSync(readFileSync(file)).toString()).ManagedRules;
}

/** AWS Config judges what the stack has and nothing else, with all that the rule asks for, and only where the rule exists. */
export const configRules: Rule = async (template, { named }) => {
  const rules = ofType(template, 'AWS::Config::ConfigRule').filter(([, { Properties = {} }]) => Properties.Source?.Owner === 'AWS');
  if (rules.length === 0) return [];
  const known = await documented();
  const resolver = new Resolver(template, { imports: named.imports });
  const types = new Set(Object.values(template.Resources).map(({ Type }) => Type));
  const tags = new Set(Object.values(template.Resources).flatMap(({ Type, Properties = {} }) =>
    Array.isArray(Properties.Tags) ? Properties.Tags.map((tag: any) => `${Type} ${tag.Key}=${resolver.resolve(tag.Value)}`) : []));

  return rules.flatMap(([logicalId, { Properties = {}, Condition }]) => {
    const { Source, Scope = {}, InputParameters = {} } = resolver.resolve(Properties);
    const rule = known[Source.SourceIdentifier];
    if (!rule) return [{ logicalId, message: `AWS documents no managed rule ${Source.SourceIdentifier}.` }];
    const judged = rule['Resource Types'].split(/,\s*/);
    const faults: string[] = [];
    if (!rule['Trigger type'].startsWith('Configuration changes')) {
      faults.push(`${Source.SourceIdentifier} is evaluated at intervals (${rule['Trigger type']}), for the whole account whatever its scope says.`);
    }
    if (Scope.TagKey) {
      if (!judged.some((type) => tags.has(`${type} ${Scope.TagKey}=${Scope.TagValue}`))) {
        faults.push(`Nothing of the type ${judged.join(', ')} has the tag ${Scope.TagKey}=${Scope.TagValue}.`);
      }
    } else if (!Scope.ComplianceResourceId) {
      faults.push('It judges resources of others: limit it by a tag or an id.');
    } else if (!asArray<string>(Scope.ComplianceResourceTypes).every((type) => judged.includes(type))) {
      faults.push(`It judges ${judged.join(', ')}, not ${asArray(Scope.ComplianceResourceTypes).join(', ')}.`);
    }
    if (!judged.some((type) => types.has(type))) {
      faults.push(`The template has nothing of the type ${judged.join(', ')}.`);
    }
    faults.push(...rule.Parameters.filter(({ Name, Optional, Default }) => !Optional && Default === undefined && !(Name in InputParameters))
      .map(({ Name }) => `It needs the parameter ${Name}.`));
    if (/GovCloud|China/.test(rule['AWS Region']) && !Condition) {
      faults.push(`It does not exist everywhere (${rule['AWS Region']}): give it a condition.`);
    }
    return faults.map((message) => ({ logicalId, message }));
  });
};
