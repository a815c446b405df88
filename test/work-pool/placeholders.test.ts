import { BaseJobTemplate, fillTemplate } from '../../src/work-pool/base-job-template';
import { TemplateValues } from '../../src/work-pool/configuration';
import { Fields, FLOW_RUN_CONTAINER } from '../../src/work-pool/three-way-merge';
import { OFFERED } from '../support/prefect-server';

const VALUES: TemplateValues = structuredClone({
  variables: { image: 'prefect:3', execution_role_arn: 'arn:role', network_configuration: { subnets: ['subnet-1'] }, prefect_api_key_secret_arn: 'arn:key' },
  environment: { LEVEL: 'debug' },
  taskDefinition: {
    executionRoleArn: '{{ execution_role_arn }}',
    volumes: [{ name: 'ours' }],
    containerDefinitions: [
      { name: FLOW_RUN_CONTAINER, image: '{{ image }}', stopTimeout: 120, secrets: [{ name: 'OURS', valueFrom: 'arn:ours' }] },
      { name: 'collector', image: 'collector:1', essential: false },
    ],
  },
});

/** The server's template, changed as a user does in the UI; then filled twice. */
function filled(change: (job: Fields, variables: Fields) => void, values = VALUES): { job: Fields; defaults: Fields } {
  const present = structuredClone(OFFERED.ecs) as BaseJobTemplate;
  change(present.job_configuration, present.variables.properties);
  const once = structuredClone(fillTemplate(OFFERED.ecs, present, values));
  const twice = structuredClone(fillTemplate(OFFERED.ecs, structuredClone(once), values, values));
  expect(twice).toEqual(once);
  const defaults = Object.fromEntries(Object.entries(twice.variables.properties).map(([name, { default: value }]) => [name, value]));
  return { job: twice.job_configuration, defaults };
}

describe('what this deployment sets goes into the default of the variable whose placeholder stands', () => {
  test('for the whole task definition', () => {
    const { job, defaults } = filled((present, variables) => {
      present.task_definition = '{{ task_definition }}';
      variables.task_definition = { type: 'object', default: { family: 'theirs', containerDefinitions: [{ name: 'prefect', image: 'theirs:1', ulimits: [] }] } };
    });
    expect(job.task_definition).toBe('{{ task_definition }}');
    expect(defaults.task_definition).toEqual({
      family: 'theirs',
      executionRoleArn: 'arn:role',
      volumes: [{ name: 'ours' }],
      containerDefinitions: [
        { name: 'prefect', image: 'theirs:1', ulimits: [], stopTimeout: 120, secrets: [{ name: 'OURS', valueFrom: 'arn:ours' }] },
        { name: 'collector', image: 'collector:1', essential: false },
      ],
    });
  });

  test('for a variable that has no default, or is not there', () => {
    const { defaults } = filled(present => { present.task_definition = '{{ theirs }}'; });
    expect(defaults.theirs.containerDefinitions).toEqual([
      { image: 'prefect:3', stopTimeout: 120, secrets: [{ name: 'OURS', valueFrom: 'arn:ours' }] },
      { name: 'collector', image: 'collector:1', essential: false },
    ]);
  });

  test('for the list of containers', () => {
    const { job, defaults } = filled((present, variables) => {
      present.task_definition.containerDefinitions = '{{ containers }}';
      variables.containers = { type: 'array', default: [{ name: 'log_router' }, { name: 'prefect' }] };
    });
    expect(job.task_definition).toMatchObject({ containerDefinitions: '{{ containers }}', cpu: '{{ cpu }}', volumes: [{ name: 'ours' }] });
    expect(defaults.containers.map(({ name, stopTimeout }: any) => [name, stopTimeout])).toEqual([['log_router', undefined], ['prefect', 120], ['collector', undefined]]);
  });

  test('for one container, and for a list and a field in it', () => {
    const { defaults } = filled((present, variables) => {
      present.task_definition.containerDefinitions = ['{{ flow_run }}'];
      variables.flow_run = { type: 'object', default: { name: 'prefect', cpu: 256 } };
    });
    expect(defaults.flow_run).toMatchObject({ name: 'prefect', cpu: 256, stopTimeout: 120 });

    const fields = filled((present, variables) => {
      Object.assign(present.task_definition.containerDefinitions[0], { secrets: '{{ secrets }}', stopTimeout: '{{ patience }}' });
      variables.secrets = { type: 'array', default: [{ name: 'THEIRS', valueFrom: 'arn:theirs' }] };
      variables.patience = { type: 'integer', default: 30 };
    });
    expect(fields.defaults).toMatchObject({ secrets: [{ name: 'THEIRS', valueFrom: 'arn:theirs' }, { name: 'OURS', valueFrom: 'arn:ours' }], patience: 120 });
  });

  test('for the environment, and for the credential, which must not stay without one', () => {
    const { defaults } = filled((present, variables) => {
      present.env = '{{ settings }}';
      present.prefect_api_key_secret_arn = '{{ key }}';
      variables.settings = { type: 'object', default: { THEIRS: 'x' } };
    });
    expect(defaults).toMatchObject({ settings: { THEIRS: 'x', LEVEL: 'debug' }, key: 'arn:key' });
    expect(defaults.env).toBeUndefined();
  });

  test('and goes from there when the deployment no longer sets it', () => {
    const present = structuredClone(OFFERED.ecs) as BaseJobTemplate;
    present.job_configuration.task_definition = '{{ theirs }}';
    const once = structuredClone(fillTemplate(OFFERED.ecs, present, VALUES));
    const less = structuredClone({ ...VALUES, taskDefinition: { executionRoleArn: '{{ execution_role_arn }}', containerDefinitions: [{ name: FLOW_RUN_CONTAINER, image: '{{ image }}' }] } });
    expect(fillTemplate(OFFERED.ecs, once, less, VALUES).variables.properties.theirs.default).toEqual({ executionRoleArn: 'arn:role', containerDefinitions: [{ image: 'prefect:3' }] });
  });

  test('and follows what the deployment sets anew', () => {
    const present = structuredClone(OFFERED.ecs) as BaseJobTemplate;
    present.job_configuration.task_definition = '{{ theirs }}';
    const once = structuredClone(fillTemplate(OFFERED.ecs, present, VALUES));
    const moved = structuredClone({ ...VALUES, variables: { ...VALUES.variables, execution_role_arn: 'arn:moved' } });
    expect(fillTemplate(OFFERED.ecs, once, moved, VALUES).variables.properties.theirs.default.executionRoleArn).toBe('arn:moved');
  });
});

describe('what users have in place of one of Prefect\'s own placeholders stays', () => {
  test.each([
    ['an image', 'theirs:1'], ['an image by a variable of theirs', '{{ their_image }}'], ['an image in part', 'registry.example.com/{{ image }}'],
  ])('%s', (_, image) => {
    const { job } = filled((present, variables) => {
      present.task_definition.containerDefinitions[0].image = image;
      variables.their_image = { type: 'string', default: 'theirs:2' };
    });
    expect(job.task_definition.containerDefinitions[0]).toMatchObject({ image, stopTimeout: 120 });
  });
});

test('a place that holds more than the placeholder of one variable fails the deployment, with where it is and what to do', () => {
  expect(() => filled(present => { present.task_definition.volumes = '{{ some }} {{ more }}'; })).toThrow(
    'The work pool\'s base job template has "{{ some }} {{ more }}" at job_configuration.task_definition.volumes, where this deployment has a value of its own. '
    + 'Remove it there, or put the placeholder of one variable there: the value then becomes the default of that variable.');
});

describe('our values reach the flow run\'s container', () => {
  const reached = (containers: object[], change: (job: Record<string, any>, variables: Record<string, any>) => void = () => {}) => {
    const { job, defaults } = filled((present, variables) => {
      present.task_definition.containerDefinitions = containers;
      change(present, variables);
    });
    return [job.task_definition.containerDefinitions.findIndex(({ stopTimeout }: any) => stopTimeout === 120), defaults.container_name];
  };

  test('behind a log router, which the worker would otherwise take for it', () => {
    expect(reached([{ name: 'log_router' }, { name: '{{ container_name }}' }])).toEqual([1, 'prefect']);
  });
  test('by the name that is the default of the variable', () => {
    expect(reached([{ name: 'log_router' }, { name: 'etl' }], (_, variables) => { variables.container_name.default = 'etl'; })).toEqual([1, 'etl']);
  });
  test('by the name in the job configuration', () => {
    expect(reached([{ name: 'log_router' }, { name: 'etl' }], present => { present.container_name = 'etl'; })).toEqual([1, undefined]);
  });
  test('by the name that Prefect gives it', () => {
    expect(reached([{ name: 'log_router' }, { name: 'prefect' }])).toEqual([1, undefined]);
  });
  test('as the first one, where no name tells', () => {
    expect(reached([{ name: 'etl' }, { name: 'log_router' }])).toEqual([0, undefined]);
  });
});

describe('the prefix of the families that the worker may register stands in front of what users have there', () => {
  const PREFIX = 'prefect-Stack-Worker-1A2B3C4D-';
  const values = structuredClone({
    ...VALUES,
    variables: { ...VALUES.variables, family: 'flow-run' },
    taskDefinition: { ...VALUES.taskDefinition, family: `${PREFIX}{{ family }}` },
  });
  const familyOf = (standing: unknown) => filled(present => { present.task_definition.family = standing; }, values).job.task_definition.family;

  test.each([
    ['Prefect\'s own placeholder', '{{ family }}', `${PREFIX}{{ family }}`],
    ['a placeholder of theirs', '{{ team }}', `${PREFIX}{{ team }}`],
    ['a text with placeholders', '{{ team }}-{{ family }}', `${PREFIX}{{ team }}-{{ family }}`],
    ['a name', 'etl', `${PREFIX}etl`],
    ['nothing', undefined, `${PREFIX}{{ family }}`],
    ['the prefix already, as in a pool of a stack that was deleted', `${PREFIX}{{ family }}`, `${PREFIX}{{ family }}`],
    ['the prefix of another worker, which had the pool before', 'prefect-Old-Worker-ABCDEF01-{{ family }}', `${PREFIX}{{ family }}`],
  ])('%s', (_, standing, becomes) => {
    expect(familyOf(standing)).toBe(becomes);
  });

  test('also where a variable holds the task definition, which Prefect fills nothing into', () => {
    const familyIn = (theirs?: string) => filled((present, variables) => {
      present.task_definition = '{{ theirs }}';
      if (theirs) variables.theirs = { type: 'object', default: { family: theirs } };
    }, values).defaults.theirs.family;
    expect(familyIn('etl')).toBe(`${PREFIX}etl`);
    expect(familyIn()).toBe(`${PREFIX}flow-run`);
  });

  test('and the next deployment takes another in its place, or takes it away, and leaves users theirs', () => {
    const next = (standing: string, prefix?: string) => {
      const present = structuredClone(OFFERED.ecs) as BaseJobTemplate;
      present.job_configuration.task_definition.family = standing;
      const { family: _, ...taskDefinition } = values.taskDefinition!;
      const wanted = structuredClone({ ...values, taskDefinition: { ...taskDefinition, ...(prefix && { family: `${prefix}{{ family }}` }) } });
      const once = structuredClone(fillTemplate(OFFERED.ecs, present, values));
      return fillTemplate(OFFERED.ecs, once, wanted, values).job_configuration.task_definition.family;
    };
    expect(next('{{ team }}', 'prefect-Other-')).toBe('prefect-Other-{{ team }}');
    expect(next('{{ team }}')).toBe('{{ team }}');
  });

  test('a pool of before, whose default was the whole family, is as a new one afterwards', () => {
    const before = structuredClone({ ...VALUES, variables: { ...VALUES.variables, family: PREFIX.slice(0, -1) } });
    const upgraded = fillTemplate(OFFERED.ecs, structuredClone(fillTemplate(OFFERED.ecs, undefined, before)), values, before);
    expect(structuredClone(upgraded)).toEqual(structuredClone(fillTemplate(OFFERED.ecs, undefined, values)));
    expect(upgraded.variables.properties.family.default).toBe('flow-run');
  });
});
