import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runPython } from './support/languages';
import { packAll } from './support/packages';
import { ROOT, WORK } from './support/run';

/** Whole apps, written in Python as their users would, each run with the wheel just built. */
jest.setTimeout(20 * 60_000);

const APPS = join(ROOT, 'examples', 'python');

interface Resource {
  readonly Type: string;
  readonly Properties: any;
}

interface App {
  readonly what: string;
  readonly works: (templates: readonly Record<string, Resource>[], messages: readonly string[]) => void;
}

const ofType = (template: Record<string, Resource>, type: string) => Object.values(template).filter(({ Type }) => Type === type);
const pools = (template: Record<string, Resource>) => ofType(template, 'Custom::PrefectWorkPool').map(({ Properties }) => JSON.stringify(Properties));

const apps: Record<string, App> = {
  stages: {
    what: 'deploys two stages of one stack, of which only production has alarms and keeps its logs',
    works: templates => {
      expect(templates).toHaveLength(2);
      const [dev, prod] = [...templates].sort((one, other) => Object.keys(one).length - Object.keys(other).length);
      // Those that scale are there in both.
      expect([dev, prod].map(template => ofType(template, 'AWS::CloudWatch::CompositeAlarm').length)).toEqual([0, 2]);
      expect([dev, prod].map(template => ofType(template, 'AWS::EC2::NatGateway').length)).toEqual([1, 2]);
      expect(JSON.stringify(ofType(prod, 'AWS::Logs::LogGroup'))).toContain('Retain');
    },
  },
  company: {
    what: 'has the boundary on each role, the tags on what takes them, and nothing that cdk-nag finds',
    works: ([template], messages) => {
      const roles = ofType(template, 'AWS::IAM::Role');
      expect(roles.length).toBeGreaterThan(5);
      for (const { Properties } of roles) expect(JSON.stringify(Properties.PermissionsBoundary)).toContain('developer-boundary');
      expect(pools(template)[0]).toMatch(/CostCenter.*4711/);
      expect(ofType(template, 'AWS::EC2::VPC')).toEqual([]);
      expect(messages.filter(message => /^AwsSolutions-/.test(message))).toEqual([]);
    },
  },
  four_pools: {
    what: 'has four pools in one VPC and cluster, each with what is its own',
    works: ([template]) => {
      expect(ofType(template, 'AWS::EC2::VPC')).toHaveLength(1);
      expect(ofType(template, 'AWS::ECS::Cluster')).toHaveLength(1);
      const told = pools(template);
      expect(told).toHaveLength(4);
      const [etl, ml] = ['WAREHOUSE_PASSWORD', 'FARGATE_SPOT'].map(word => told.filter(pool => pool.includes(word)));
      expect([etl.length, ml.length]).toEqual([1, 1]);
      expect(etl[0]).toMatch(/urgent.*backfill/);
      expect(ml[0]).toMatch(/fileSystemId.*\/mnt\/models|\/mnt\/models.*fileSystemId/);
    },
  },
  private_server: {
    what: 'trusts the company\'s authority, and asks the server from inside the network',
    works: ([template]) => {
      expect(pools(template)[0]).toContain('prefect.internal.example.com');
      const functions = ofType(template, 'AWS::Lambda::Function').filter(({ Properties }) => Properties.VpcConfig);
      expect(functions.length).toBeGreaterThanOrEqual(3);
      expect(JSON.stringify(ofType(template, 'AWS::ECS::TaskDefinition'))).toContain('BEGIN CERTIFICATE');
    },
  },
};

beforeAll(() => packAll());

test.each(Object.entries(apps))('the app %s synthesizes, and works', async (name, { works }) => {
  const out = join(WORK, 'out', 'python-apps', name);
  await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  await runPython(join(APPS, name), ['app.py'], { CDK_OUTDIR: out });
  const files = readdirSync(out, { recursive: true, encoding: 'utf8' });
  const templates = files.filter(file => file.endsWith('.template.json')).map(file => JSON.parse(readFileSync(join(out, file), 'utf8')).Resources);
  const manifests = files.filter(file => file.endsWith('manifest.json')).map(file => JSON.parse(readFileSync(join(out, file), 'utf8')));
  const messages = manifests.flatMap(({ artifacts }) => Object.values<any>(artifacts).flatMap(({ metadata = {} }) =>
    Object.values<any[]>(metadata).flat().filter(({ type }) => /aws:cdk:(error|warning)/.test(type)).map(({ data }) => data)));
  works(templates, messages);
});

test('the tests that the app tested has of its own pass', async () => {
  expect(await runPython(join(APPS, 'tested'), ['-m', 'pytest', '-q', '-p', 'no:cacheprovider'])).toMatch(/3 passed/);
});
