import { App, aws_ecs as ecs, aws_iam as iam, aws_s3 as s3, Aspects, Stack } from 'aws-cdk-lib';
import * as nag3 from 'cdk-nag';
import * as nag2 from 'cdk-nag-2';
import { FINDINGS, WILDCARDS } from '../../src/private/acknowledged-findings';
import { SERVER_FINDINGS } from '../../src/server/acknowledged-findings';
import { scenarios } from '../scenarios';
import { addWorker, importedVpc } from '../support/worker';

/** What cdk-nag reports of an app, as `path rule`, and what it had acknowledged, as `reason`. */
interface Report {
  readonly found: string[];
  readonly reasons: Set<string>;
}

const PACKS = ['AwsSolutionsChecks', 'HIPAASecurityChecks', 'NIST80053R5Checks', 'PCIDSS321Checks'] as const;
/** The scenarios' own secrets, which hold what others issue. */
const SECRETS = /^\w+\/(ApiKey|AuthString|Headers)\/Resource /;

/** As a user of cdk-nag 2 adds it: an aspect, here with a logger instead of errors. */
function byNag2(app: App): () => Report {
  const report: Report = { found: [], reasons: new Set() };
  const ignored = () => undefined;
  const find = ({ resource, ruleId, findingId }: nag2.NagLoggerBaseData & { findingId?: string }) => void report.found.push(`${resource.node.path} ${ruleId}${findingId ? `[${findingId}]` : ''}`);
  const logger: nag2.INagLogger = {
    onCompliance: ignored,
    onNotApplicable: ignored,
    onNonCompliance: find,
    onError: find,
    onSuppressed: ({ suppressionReason }) => void report.reasons.add(suppressionReason.replace(/^\[.*?(?<=[^:])\] (?=[A-Z])/, '')),
    onSuppressedError: ({ errorSuppressionReason }) => void report.reasons.add(errorSuppressionReason),
  };
  for (const pack of PACKS) Aspects.of(app).add(new nag2[pack]({ reports: false, additionalLoggers: [logger] }));
  return () => {
    app.synth();
    return report;
  };
}

/** As cdk-nag 3 does after a synthesis. */
function byNag3(app: App): () => Report {
  return () => {
    app.synth();
    const violations = PACKS.flatMap(pack => [...new nag3[pack](app).validateScope(app).violations]);
    return { found: violations.flatMap(({ ruleName, violatingResources }) => violatingResources.map(({ constructPath }) => `${constructPath} ${ruleName}`)), reasons: new Set() };
  };
}

const newApp = () => new App({ analyticsReporting: false, treeMetadata: false });

describe.each([['2', byNag2], ['3', byNag3]])('cdk-nag %s', (_, checked) => {
  test.each(scenarios)('finds in $name nothing but the user\'s own', ({ build }) => {
    const app = newApp();
    const check = checked(app);
    build(app);
    const { found } = check();
    expect(found.filter(finding => !SECRETS.test(finding))).toEqual([]);
    expect(found.length > 0).toBe(found.some(finding => SECRETS.test(finding)));
  });

  test('finds nothing of a worker whose cluster is another stack\'s', () => {
    const app = newApp();
    const check = checked(app);
    const platform = new Stack(app, 'Platform');
    const cluster = new ecs.Cluster(platform, 'Cluster', { vpc: importedVpc(platform), enableFargateCapacityProviders: true });
    addWorker(new Stack(app, 'Stack'), { cluster, vpc: cluster.vpc });
    expect(check().found.filter(finding => /^Stack\/(Worker|PrefectWorkersShared)\//.test(finding))).toEqual([]);
  });

  test('finds what users grant to the worker\'s roles', () => {
    const app = newApp();
    const check = checked(app);
    const stack = new Stack(app, 'Stack');
    const worker = addWorker(stack);
    new s3.Bucket(stack, 'Data').grantRead(worker);
    worker.flowRunRole.addToPrincipalPolicy(new iam.PolicyStatement({ actions: ['sqs:SendMessage'], resources: ['*'] }));
    // The worker's role has this resource by itself too, for other actions.
    worker.workerRole.addToPrincipalPolicy(new iam.PolicyStatement({ actions: ['sqs:SendMessage'], resources: ['*'] }));
    const { found } = check();
    const wildcards = found.filter(finding => finding.includes('IAM5')).map(finding => finding.replace(/^.*Identity\//, '').replace(/\w{8}\.Arn/, '.Arn'));
    expect(wildcards.sort()).toEqual([
      'FlowRunRole/DefaultPolicy/Resource AwsSolutions-IAM5[Action::s3:GetBucket*]',
      'FlowRunRole/DefaultPolicy/Resource AwsSolutions-IAM5[Action::s3:GetObject*]',
      'FlowRunRole/DefaultPolicy/Resource AwsSolutions-IAM5[Action::s3:List*]',
      'FlowRunRole/DefaultPolicy/Resource AwsSolutions-IAM5[Resource::*]',
      'FlowRunRole/DefaultPolicy/Resource AwsSolutions-IAM5[Resource::<Data.Arn>/*]',
      'WorkerRole/DefaultPolicy/Resource AwsSolutions-IAM5[Resource::*]',
    ]);
  });
});

test('each acknowledgement answers a finding of a scenario', () => {
  const reasons = scenarios.flatMap(({ build }) => {
    const app = newApp();
    const check = byNag2(app);
    build(app);
    return [...check().reasons];
  });
  const unused = [...FINDINGS, ...SERVER_FINDINGS, ...WILDCARDS].filter(({ reason }) => !reasons.some(used => used.includes(reason)));
  expect(unused).toEqual([]);
});

describe('a template', () => {
  const template = (prepare: (stack: Stack) => void) => {
    const stack = new Stack(newApp(), 'Stack');
    prepare(stack);
    addWorker(stack);
    const { Resources } = (stack.node.root as App).synth().getStackByName(stack.stackName).template;
    return Object.values(Resources as Record<string, { Metadata?: Record<string, any> }>).flatMap(({ Metadata }) => Metadata?.cdk_nag ?? []);
  };

  test('has nothing of cdk-nag where the app does not use cdk-nag 2', () => {
    expect(template(() => undefined)).toEqual([]);
  });

  test('has the reasons where it does', () => {
    const metadata = template(stack => Aspects.of(stack).add(new nag2.AwsSolutionsChecks({ reports: false })));
    expect(JSON.stringify(metadata)).toContain('"applies_to":["Resource::*"]');
  });
});
