import type * as cdk from 'aws-cdk-lib';

/** One resource of a synthesized template. */
export interface Resource {
  Type: string;
  Properties?: Record<string, any>;
  DependsOn?: string | string[];
  Condition?: string;
  DeletionPolicy?: string;
  UpdateReplacePolicy?: string;
  Metadata?: Record<string, any>;
}

/** A synthesized CloudFormation template, as JSON. */
export interface Template {
  Resources: Record<string, Resource>;
  Parameters?: Record<string, any>;
  Conditions?: Record<string, any>;
  Mappings?: Record<string, any>;
  Outputs?: Record<string, any>;
  [section: string]: any;
}

/** A template with the name it is reported under. */
export interface NamedTemplate {
  /** Scenario name, followed by the stack's name where a scenario has several stacks. */
  readonly name: string;
  readonly template: Template;
  /** Account and region of the stack, where its author fixed them. */
  readonly env: { account?: string; region?: string };
  /** The app that produced the template: for engines that look at constructs instead of JSON. */
  readonly app?: cdk.App;
  /** Exported values of the scenario's other stacks, by export name. */
  readonly imports: Record<string, unknown>;
}

/** What an engine or a rule has to say about one resource. */
export interface Finding {
  /** The engine's name, or `rules` for the rules in this folder. */
  readonly engine: string;
  readonly rule: string;
  readonly template: string;
  /** Logical id of the resource, or '' where the whole template is meant. */
  readonly logicalId: string;
  readonly message: string;
  readonly severity: 'error' | 'warning';
}

export type Engine = (templates: NamedTemplate[]) => Promise<Finding[]>;

/** What a rule may know beside the template itself. */
export interface RuleContext {
  readonly named: NamedTemplate;
}

/** What a rule found, before the runner adds the rule's and the template's name. */
export interface Remark {
  readonly logicalId: string;
  readonly message: string;
}

export type Rule = (template: Template, context: RuleContext) => Remark[] | Promise<Remark[]>;
