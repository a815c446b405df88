import * as fc from 'fast-check';
import { BaseJobTemplate, fillTemplate } from '../../src/work-pool/base-job-template';
import { TemplateValues } from '../../src/work-pool/configuration';
import { askWorker } from '../support/ecs-worker';
import { OFFERED } from '../support/prefect-server';
import { configurationOf, selfHosted, templateOf } from '../support/worker';

jest.setTimeout(300_000);

/** Pools' templates as users may have made them, out of the server's: whatever they look like, a deployment leaves them usable, and users' own in them. */

const RUNS = 120;
const SEED = 20261126;

/** Each foreign thing has a mark of its own, which has to be there afterwards. */
type Change = (template: BaseJobTemplate) => void;
const flowRun = ({ job_configuration: { task_definition: task } }: BaseJobTemplate) => task.containerDefinitions.find(({ name }: any) => name === '{{ container_name }}' || name === 'etl' || name === 'prefect');

const mark = fc.nat(99_999).map(number => `theirs${number}`);
const oneOf = (...changes: fc.Arbitrary<Change>[]) => fc.option(fc.oneof(...changes), { nil: () => {} });

/** The flow run's container: its name, and what else users have there. */
const naming: fc.Arbitrary<Change> = fc.constantFrom<Change>(
  () => {},
  template => { flowRun(template).name = 'prefect'; },
  template => { flowRun(template).name = 'etl'; template.job_configuration.container_name = 'etl'; },
  template => { flowRun(template).name = 'etl'; template.variables.properties.container_name.default = 'etl'; },
);
const inContainer = oneOf(
  mark.map<Change>(own => template => { flowRun(template).environment = [{ name: own, value: 'x' }]; }),
  mark.map<Change>(own => template => { flowRun(template).secrets = [{ name: own, valueFrom: 'arn:theirs' }]; }),
  mark.map<Change>(own => template => { flowRun(template).image = `registry.example.com/${own}:1`; }),
  mark.map<Change>(own => template => { flowRun(template).dockerLabels = { [own]: '{{ name }}' }; }),
  mark.map<Change>(own => template => {
    flowRun(template).mountPoints = [{ sourceVolume: own, containerPath: '/data' }];
    template.job_configuration.task_definition.volumes = [{ name: own }];
  }),
);
const inTask = oneOf(
  mark.map<Change>(own => template => { template.job_configuration.task_definition.tags = [{ key: own, value: '{{ flow_run_name }}' }]; }),
  mark.map<Change>(own => template => {
    template.job_configuration.task_definition.volumes = [...template.job_configuration.task_definition.volumes ?? [], { name: own }];
  }),
  mark.map<Change>(own => template => { template.job_configuration.task_definition.family = own; }),
  mark.map<Change>(own => template => { template.job_configuration.task_definition.family = `${own}-{{ family }}`; }),
  fc.constant<Change>(template => { template.job_configuration.task_definition.runtimePlatform = { operatingSystemFamily: 'LINUX' }; }),
);
const beside = fc.tuple(mark, fc.boolean(), fc.boolean()).map<Change>(([own, first, there]) => template => {
  const containers = template.job_configuration.task_definition.containerDefinitions;
  if (there) containers[first ? 'unshift' : 'push']({ name: own, image: 'log_router:1', essential: false, firelensConfiguration: { type: 'fluentbit' } });
});
const inRequest = oneOf(
  mark.map<Change>(own => template => { template.job_configuration.task_run_request.group = own; }),
  mark.map<Change>(own => template => { template.job_configuration.task_run_request.overrides.ephemeralStorage = { sizeInGiB: 30 }; template.variables.properties[own] = { type: 'string', default: own }; }),
  fc.constant<Change>(template => { delete template.job_configuration.vpc_id; delete template.job_configuration.auto_deregister_task_definition; }),
);
const inVariables = oneOf(
  mark.map<Change>(own => template => { template.variables.properties.env.default = { [own]: 'x' }; }),
  mark.map<Change>(own => template => { template.variables.properties[own] = { type: 'integer', default: 7 }; }),
  mark.map<Change>(own => template => { template.job_configuration.env = { [own]: '{{ flow_run_name }}' }; }),
);

/** Puts a variable's placeholder where a value stands, with that value as its default, as Prefect's guide on templates shows. */
const PLACES: Record<string, (template: BaseJobTemplate) => readonly [holder: any, key: string] | undefined> = {
  'the task definition': ({ job_configuration: job }) => [job, 'task_definition'],
  'the containers': ({ job_configuration: job }) => [job.task_definition, 'containerDefinitions'],
  'the flow run\'s container': template => [template.job_configuration.task_definition.containerDefinitions, `${template.job_configuration.task_definition.containerDefinitions.indexOf(flowRun(template))}`],
  'its secrets': template => [flowRun(template), 'secrets'],
  'its environment': template => [flowRun(template), 'environment'],
  'the volumes': ({ job_configuration: job }) => [job.task_definition, 'volumes'],
  'the platform': ({ job_configuration: job }) => [job.task_definition, 'runtimePlatform'],
  'the time to stop': template => [flowRun(template), 'stopTimeout'],
  'the request': ({ job_configuration: job }) => [job.task_run_request, 'networkConfiguration'],
  'the environment': ({ job_configuration: job }) => job.env === '{{ env }}' ? undefined : [job, 'env'],
};
const somewhere = fc.tuple(fc.option(fc.constantFrom(...Object.keys(PLACES))), fc.boolean(), fc.boolean());
const placeholder = somewhere.map<Change>(([name, spaces, declared]) => template => {
  const place = name === null ? undefined : PLACES[name](template);
  if (!place) return;
  const [holder, key] = place;
  // Prefect fills no placeholders in a variable's default: there, values stand.
  const value = filledIn(holder[key], template);
  if (value !== undefined || declared) template.variables.properties.their_variable = value === undefined ? { title: 'Theirs' } : { title: 'Theirs', default: value };
  holder[key] = spaces ? '{{ their_variable }}' : '{{their_variable}}';
});

function filledIn(value: any, template: BaseJobTemplate): any {
  const name = typeof value === 'string' ? /^\{\{\s*(\w+)\s*\}\}$/.exec(value)?.[1] : undefined;
  if (name === 'container_name') return template.variables.properties.container_name.default ?? 'prefect';
  if (name) return template.variables.properties[name]?.default;
  if (Array.isArray(value)) return value.map(entry => filledIn(entry, template));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, filledIn(inner, template)]).filter(([, inner]) => inner !== undefined));
}

/** The same fields in another order: of no importance to anybody, so to nothing here. */
const shuffled = fc.boolean().map<Change>(reverse => template => {
  if (reverse) Object.assign(template, JSON.parse(JSON.stringify(template), (_, value) => value && typeof value === 'object' && !Array.isArray(value) ? Object.fromEntries(Object.entries(value).reverse()) : value));
});

const templates = fc.tuple(naming, inContainer, inTask, beside, inRequest, inVariables, placeholder, shuffled).map(changes => {
  const template = structuredClone(OFFERED.ecs);
  for (const change of changes) change(template);
  return template;
});

const marksOf = (template: BaseJobTemplate) => [...new Set(JSON.stringify(template).match(/theirs\d+/g))].sort();
const network = { subnets: ['subnet-theirs'], securityGroups: [], assignPublicIp: 'DISABLED' };

test.each([
  ['Prefect Cloud', () => ({}), { PREFECT_API_KEY: 'pnu_plain' }],
  ['a server with a certificate and headers', (stack: any) => ({ api: selfHosted(stack) }), { PREFECT_API_AUTH_STRING: 'plain', PREFECT_CLIENT_CUSTOM_HEADERS: '{"X-Token":"plain"}' }],
])(`%s: ${RUNS} templates that users made are usable after two deployments, and after their end, with all that is users'`, async (_, props, environment) => {
  const values: TemplateValues = configurationOf(templateOf(props)).template;
  const prefix = (values.taskDefinition!.family as string).replace('{{ family }}', '');
  const nothing: TemplateValues = { variables: { network_configuration: network, execution_role_arn: 'arn:role' }, environment: {}, taskDefinition: {} };
  const samples = fc.sample(templates, { numRuns: RUNS, seed: SEED });

  const filled = samples.map((template, index) => {
    const once = fillTemplate(OFFERED.ecs, structuredClone(template), values);
    const twice = structuredClone(fillTemplate(OFFERED.ecs, structuredClone(once), values, values));
    expect({ index, twice: JSON.parse(JSON.stringify(twice)) }).toEqual({ index, twice: JSON.parse(JSON.stringify(once)) });
    expect({ index, marks: marksOf(twice) }).toEqual({ index, marks: marksOf(template) });
    const after = fillTemplate(OFFERED.ecs, structuredClone(twice), nothing, values);
    expect({ index, marks: marksOf(after) }).toEqual({ index, marks: marksOf(template) });
    return twice;
  });
  const answers = await askWorker(filled.map(template => ({ template })), environment);
  const refused = answers.map(({ error }, index) => ({ index, error, template: filled[index].job_configuration })).filter(({ error }) => error);
  expect(refused.slice(0, 3)).toEqual([]);
  // And ours is in effect: the family is one that the worker may register, the container has the time to stop, the credential is a secret of it.
  const unreached = answers
    .map(({ taskDefinition, runTask }, index) => ({ index, taskDefinition, name: runTask!.overrides.containerOverrides[0].name }))
    .filter(({ taskDefinition, name }) => {
      if (!taskDefinition!.family.startsWith(prefix)) return true;
      const container = taskDefinition!.containerDefinitions.find((candidate: any) => candidate.name === name);
      return container?.stopTimeout !== 120 || !container.secrets?.length;
    });
  expect(unreached.slice(0, 3)).toEqual([]);
});
