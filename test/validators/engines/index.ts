import { cdkNag } from './cdk-nag';
import { cfnLint } from './cfn-lint';
import { checkov } from './checkov';
import { cloudformationValidate } from './cloudformation-validate';
import { controlTower } from './control-tower';
import { applyRules } from '../rules';
import type { Engine } from '../types';

/** Everything that looks at templates, by name. */
export const engines: Record<string, Engine> = {
  'cloudformation-validate': cloudformationValidate,
  'cfn-lint': cfnLint,
  ...cdkNag,
  checkov,
  'control-tower': controlTower,
  'rules': (templates) => applyRules(templates),
};
