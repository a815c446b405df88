import { BaseJobTemplate, fillTemplate } from '../../src/work-pool/base-job-template';
import { TemplateValues } from '../../src/work-pool/configuration';
import { OwnTemplate } from '../../src/work-pool/own-template';
import { FLOW_RUN_CONTAINER } from '../../src/work-pool/three-way-merge';
import { OFFERED } from '../support/prefect-server';

const offered = () => structuredClone(OFFERED.ecs);
const NONE: TemplateValues = { variables: {}, environment: {} };
/** What a stack sets by itself. */
const STACKS: TemplateValues = structuredClone({
  variables: { cluster: 'arn:cluster', cpu: 512 },
  environment: { LEVEL: 'debug' },
  taskDefinition: { containerDefinitions: [{ name: FLOW_RUN_CONTAINER, image: '{{ image }}', stopTimeout: 120 }] },
});
const own = (baseJobTemplate: OwnTemplate, values = STACKS): TemplateValues => structuredClone({ ...values, baseJobTemplate });
const container = (template: BaseJobTemplate) => template.job_configuration.task_definition.containerDefinitions[0];

const REGION = { title: 'Data region', type: 'string', enum: ['eu', 'us'], default: 'eu' };
const TEAMS: OwnTemplate = {
  variables: { properties: { data_region: REGION, cpu: { default: 4096, description: 'As large as it needs' }, stream_output: { default: true } } },
  job_configuration: {
    labels: '{{ labels }}',
    task_watch_poll_interval: 30,
    task_definition: { containerDefinitions: [{ name: '{{ container_name }}', image: '{{ image }}', dockerLabels: { region: '{{ data_region }}' } }] },
  },
};

describe('a template of one\'s own', () => {
  const template = fillTemplate(offered(), undefined, own(TEAMS));

  test('brings variables, and fields of the job configuration, in one container with what the stack sets', () => {
    expect(template.variables.properties.data_region).toEqual(REGION);
    expect(template.variables.properties.stream_output).toEqual({ ...offered().variables.properties.stream_output, default: true });
    // Where the server offers a placeholder, a value becomes the default of its variable, and deployments still choose.
    expect(template.job_configuration.task_watch_poll_interval).toBe('{{ task_watch_poll_interval }}');
    expect(template.variables.properties.task_watch_poll_interval.default).toBe(30);
    expect(template.job_configuration.task_definition.containerDefinitions).toHaveLength(1);
    expect(container(template)).toEqual({ name: '{{ container_name }}', image: '{{ image }}', dockerLabels: { region: '{{ data_region }}' }, stopTimeout: 120 });
  });

  test('is under what the stack sets, and over what the server offers', () => {
    expect(template.variables.properties.cpu).toEqual({ ...offered().variables.properties.cpu, description: 'As large as it needs', default: 512 });
  });

  test('filled in once more changes nothing', () => {
    expect(fillTemplate(offered(), structuredClone(template), own(TEAMS))).toEqual(template);
    expect(fillTemplate(offered(), structuredClone(template), own(TEAMS), own(TEAMS))).toEqual(template);
  });

  test('that is removed goes, and what is offered comes back', () => {
    expect(fillTemplate(offered(), structuredClone(template), STACKS, own(TEAMS))).toEqual(fillTemplate(offered(), undefined, STACKS));
  });

  test('of which a part is removed loses that part', () => {
    const { data_region: _, ...rest } = TEAMS.variables!.properties;
    const less = own({ variables: { properties: rest } });
    const now = fillTemplate(offered(), structuredClone(template), less, own(TEAMS));
    expect(now.variables.properties).not.toHaveProperty('data_region');
    expect(now.variables.properties.stream_output.default).toBe(true);
    expect(now.variables.properties.task_watch_poll_interval).toEqual(offered().variables.properties.task_watch_poll_interval);
    expect(container(now)).not.toHaveProperty('dockerLabels');
  });

  test('leaves what users add, also when it is removed', () => {
    const present = structuredClone(template);
    present.variables.properties.theirs = { type: 'string', default: 'x' };
    present.variables.properties.data_region.description = 'Ask the data office';
    container(present).dockerLabels.theirs = 'y';
    const kept = fillTemplate(offered(), present, own(TEAMS), own(TEAMS));
    expect(kept.variables.properties.theirs.default).toBe('x');
    expect(container(kept).dockerLabels).toEqual({ region: '{{ data_region }}', theirs: 'y' });
    const removed = fillTemplate(offered(), kept, STACKS, own(TEAMS));
    expect(removed.variables.properties.theirs.default).toBe('x');
    expect(removed.variables.properties.data_region).toEqual({ description: 'Ask the data office' });
    expect(container(removed).dockerLabels).toEqual({ theirs: 'y' });
  });

  test('wins over what users changed where it says something else', () => {
    const present = structuredClone(template);
    present.variables.properties.data_region.default = 'us';
    expect(fillTemplate(offered(), present, own(TEAMS), own(TEAMS)).variables.properties.data_region.default).toBe('eu');
  });

  test('whose container has a name of its own, and no placeholder for it, is still the flow run\'s', () => {
    const named = own({ job_configuration: { task_definition: { containerDefinitions: [{ name: 'prefect', image: '{{ image }}', user: '1000' }] } } });
    expect(fillTemplate(offered(), undefined, named).job_configuration.task_definition.containerDefinitions).toEqual([
      { name: '{{ container_name }}', image: '{{ image }}', user: '1000', stopTimeout: 120 },
    ]);
  });

  test('may be the whole template that the server offers', () => {
    expect(fillTemplate(offered(), undefined, own(offered()))).toEqual(fillTemplate(offered(), undefined, STACKS));
  });

  test('is for pools of PROCESS workers as well', () => {
    const processes = () => structuredClone(OFFERED.process);
    const values = own({ variables: { properties: { stream_output: { default: false } } } }, NONE);
    expect(fillTemplate(processes(), undefined, values).variables.properties.stream_output.default).toBe(false);
    expect(fillTemplate(processes(), fillTemplate(processes(), undefined, values), NONE, values)).toEqual(processes());
  });
});
