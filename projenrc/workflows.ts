import { awscdk, Component, github } from 'projen';

/**
 * The actions that workflows use, each at the commit of a release: a tag can be moved, a commit can't.
 * Raise them together with their hashes.
 */
const ACTIONS: Record<string, string> = {
  'actions/checkout': '3d3c42e5aac5ba805825da76410c181273ba90b1', // v7.0.1
  'actions/setup-node': '820762786026740c76f36085b0efc47a31fe5020', // v7.0.0
  'actions/setup-python': '5fda3b95a4ea91299a34e894583c3862153e4b97', // v7.0.0
  'actions/setup-java': 'b6effb05e454b25005698d916606bdc6ffcbf961', // v5.7.0
  'actions/setup-go': 'b7ad1dad31e06c5925ef5d2fc7ad053ef454303e', // v7.0.0
  'actions/setup-dotnet': 'a98b56852c35b8e3190ac28c8c2271da59106c68', // v6.0.0
  'actions/attest-build-provenance': 'a2bbfa25375fe432b6a289bc6b6cd05ecd0c4c32', // v4.1.0
  'aws-actions/configure-aws-credentials': 'e6de054238d6b7531b4efff3b6587d9aade6a06c', // v6.2.3
  'github/codeql-action/init': '1a818fd5f97ed0ee9a823421bd5b171add01227f', // v4.36.2
  'github/codeql-action/analyze': '1a818fd5f97ed0ee9a823421bd5b171add01227f', // v4.36.2
  'peter-evans/create-pull-request': '5f6978faf089d4d20b00c7766989d076bb2fc7f1', // v8.1.1
};
const action = (name: string) => `${name}@${ACTIONS[name]}`;

/** What the tests need beside Node.js; workflows that run them all begin with these. */
export const TOOLCHAINS: github.workflows.JobStep[] = [
  { name: 'Python', uses: action('actions/setup-python'), with: { 'python-version': '3.12' } },
  { name: 'Java', uses: action('actions/setup-java'), with: { 'distribution': 'corretto', 'java-version': '17' } },
  { name: 'Go', uses: action('actions/setup-go'), with: { 'go-version': 'stable', 'cache': false } },
];

const READ = { contents: github.workflows.JobPermission.READ };
const CHECKOUT: github.workflows.JobStep = { name: 'Checkout', uses: action('actions/checkout'), with: { 'persist-credentials': false } };
const node = (version: string): github.workflows.JobStep =>
  ({ name: 'Node.js', uses: action('actions/setup-node'), with: { 'node-version': version, 'package-manager-cache': false } });
const INSTALL: github.workflows.JobStep = { name: 'Install', run: 'npm ci' };

const job = (name: string, steps: github.workflows.JobStep[], more: Partial<github.workflows.Job> = {}): github.workflows.Job =>
  ({ name, runsOn: ['ubuntu-latest'], permissions: READ, steps: [CHECKOUT, ...steps], ...more });

/** GitHub's workflows beyond those that projen makes, and those that it makes hardened. */
export function addWorkflows(project: awscdk.AwsCdkConstructLibrary): void {
  const hub = project.github!;
  for (const [name, commit] of Object.entries(ACTIONS)) hub.actions.set(name, `${name}@${commit}`);
  versions(hub);
  compatibility(hub);
  security(hub);
  sandbox(hub);
  new Hardened(hub);
}

/** The oldest and the newest of what users may have. Of Prefect the newest; the lowest and the locked one are in every build. */
function versions(hub: github.GitHub): void {
  const workflow = hub.addWorkflow('versions');
  workflow.on({ pullRequest: {}, schedule: [{ cron: '17 4 * * 1' }], workflowDispatch: {} });
  const matrix = (domain: Record<string, string[]>) => ({ matrix: { domain }, failFast: false });
  workflow.addJobs({
    node: job('Node.js ${{ matrix.node }}', [node('${{ matrix.node }}'), INSTALL, { run: 'npm test -- build unit' }], {
      strategy: matrix({ node: ['20', '22', '24'] }),
    }),
    cdk: job('aws-cdk-lib, ${{ matrix.cdk }}', [
      node('22'),
      INSTALL,
      { if: "matrix.cdk == 'lowest'", run: 'npm test -- build lowest' },
      { if: "matrix.cdk == 'newest'", run: 'npm install --no-save aws-cdk-lib@latest constructs@latest && npm test -- build unit validators' },
    ], { strategy: matrix({ cdk: ['lowest', 'newest'] }) }),
    prefect: job('Prefect, ${{ matrix.prefect }}', [
      node('22'),
      ...TOOLCHAINS,
      INSTALL,
      { name: 'Choose the version', run: 'npx tsx test/python/prefect-version.ts ${{ matrix.prefect }}' },
      { run: 'npm test -- build live' },
    ], { strategy: matrix({ prefect: ['newest'] }), timeoutMinutes: 60 }),
  });
}

/** Titles of pull requests become commits, commits the changelog; and no release breaks what the last one promised. */
function compatibility(hub: github.GitHub): void {
  const workflow = hub.addWorkflow('compatibility');
  workflow.on({ pullRequest: { types: ['opened', 'edited', 'reopened', 'synchronize'] } });
  workflow.addJobs({
    title: {
      name: 'Title is a conventional commit',
      runsOn: ['ubuntu-latest'],
      permissions: {},
      steps: [{
        env: { TITLE: '${{ github.event.pull_request.title }}' },
        run: [
          'if ! [[ "$TITLE" =~ ^(feat|fix|docs|test|perf|refactor|build|ci|chore|revert)(\\([a-z0-9-]+\\))?!?:\\ .+ ]]; then',
          '  echo "::error::Write the title as a conventional commit, such as \\"fix(network): reach S3 in a closed VPC\\"."',
          '  exit 1',
          'fi',
        ].join('\n'),
      }],
    },
    api: job('API keeps its promises', [
      node('22'),
      INSTALL,
      { run: 'npx projen pre-compile && npx projen compile' },
      {
        name: 'Compare with the last release',
        run: [
          'if ! npm view cdk-prefect-fargate-worker version; then echo "Nothing is released yet."; exit 0; fi',
          'npx projen compat',
        ].join('\n'),
      },
    ]),
  });
}

function security(hub: github.GitHub): void {
  const workflow = hub.addWorkflow('security');
  workflow.on({ pullRequest: {}, push: { branches: ['main'] }, schedule: [{ cron: '41 3 * * 2' }] });
  workflow.addJobs({
    codeql: job('CodeQL', [
      { uses: action('github/codeql-action/init'), with: { languages: '${{ matrix.language }}' } },
      { uses: action('github/codeql-action/analyze') },
    ], {
      permissions: { ...READ, securityEvents: github.workflows.JobPermission.WRITE },
      strategy: { matrix: { domain: { language: ['javascript-typescript', 'python', 'actions'] } } },
    }),
    dependencies: job('Dependencies', [
      node('22'),
      INSTALL,
      { name: 'Known vulnerabilities', run: 'npm audit --audit-level=high' },
      { name: 'Signatures of what was installed', run: 'npm audit signatures' },
    ]),
    workflows: job('Workflows', [node('22'), ...TOOLCHAINS, INSTALL, { run: 'npm test -- build docs' }]),
  });
}

/** Real deployments to an account of their own, by a role that only this workflow in this environment can take. */
function sandbox(hub: github.GitHub): void {
  const workflow = hub.addWorkflow('integ');
  workflow.on({ schedule: [{ cron: '23 2 * * 3' }], workflowDispatch: {} });
  workflow.file!.addOverride('concurrency', { 'group': 'sandbox', 'cancel-in-progress': false });
  workflow.addJobs({
    sandbox: job('Deploy to the sandbox account', [
      node('22'),
      ...TOOLCHAINS,
      INSTALL,
      {
        name: 'AWS credentials',
        uses: action('aws-actions/configure-aws-credentials'),
        with: { 'role-to-assume': '${{ vars.SANDBOX_ROLE_ARN }}', 'aws-region': 'us-east-1', 'role-duration-seconds': 7200 },
      },
      { name: 'Deploy, assert, destroy', run: 'npm run integ -- --sandbox' },
      {
        name: 'Clean up what a failed run left',
        if: 'always()',
        run: [
          'aws cloudformation list-stacks --query "StackSummaries[?starts_with(StackName, \'Integ\') && StackStatus != \'DELETE_COMPLETE\'].StackName" --output text \\',
          '  | tr \'\\t\' \'\\n\' | while read -r stack; do',
          '    [ -z "$stack" ] && continue',
          '    echo "deleting $stack"',
          '    aws cloudformation delete-stack --stack-name "$stack"',
          '    aws cloudformation wait stack-delete-complete --stack-name "$stack"',
          '  done',
        ].join('\n'),
      },
    ], {
      permissions: { ...READ, idToken: github.workflows.JobPermission.WRITE },
      environment: 'sandbox',
      timeoutMinutes: 120,
    }),
  });
}

/** Two things added to what projen makes, once all of it is there. */
class Hardened extends Component {
  constructor(private readonly hub: github.GitHub) {
    super(hub.project);
  }

  public preSynthesize(): void {
    for (const workflow of this.hub.workflows) {
      for (const [name, candidate] of Object.entries(workflow.jobs)) {
        const { steps, permissions, ...rest } = candidate as github.workflows.Job;
        // Nothing of these two pushes: pull requests aren't changed by their build, and tags come with GitHub's releases.
        const reads = name === 'build' || name === 'release';
        const publishes = name.startsWith('release_') && name !== 'release_github';
        const change = (given: Steps) => publishes ? attested(withoutToken(given)) : withoutToken(given);
        workflow.updateJob(name, {
          ...rest,
          // Some jobs of projen's make their steps only when they are written.
          steps: typeof steps === 'function' ? (() => change((steps as () => Steps)())) as any : change(steps),
          permissions: reads ? READ : publishes ? { ...permissions, ...SIGN } : permissions,
        });
      }
    }
  }
}

type Steps = github.workflows.JobStep[];
const SIGN = { idToken: github.workflows.JobPermission.WRITE, attestations: github.workflows.JobPermission.WRITE };

/** No step after a checkout finds its token. */
function withoutToken(steps: Steps): Steps {
  return steps.map(step => step.uses?.startsWith('actions/checkout@') ? { ...step, with: { ...step.with, 'persist-credentials': false } } : step);
}

/** Says on the record from which commit and by which workflow a package was built, before it is published. */
function attested(steps: Steps): Steps {
  const attest = {
    name: 'Attest provenance',
    if: '${{ !inputs.dry_run }}',
    uses: action('actions/attest-build-provenance'),
    with: { 'subject-path': 'dist/**/*.tgz\ndist/**/*.whl\ndist/**/*.jar\ndist/**/*.nupkg\ndist/**/go.mod' },
  };
  return steps.flatMap(step => step.id === 'release' ? [attest, step] : [step]);
}
