import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { resources, templateOf } from '../support/worker';

const handbook = readFileSync(join(__dirname, '..', '..', 'docs', 'operations.md'), 'utf8');
const headings = [...handbook.matchAll(/^### (\w+)$/gm)].map(([, heading]) => heading);
const rows = [...handbook.matchAll(/^\| \[(\w+)\]\(#(\w+)\)( ●)? \| [^|]+ \| [^|]+ \| [^|]+ \|$/gm)];

const told = [templateOf(), templateOf({ scaling: { standby: {} } }), templateOf({ observability: { monthlyBudget: 500 } })].flatMap(template => [
  ...[...resources(template, 'AWS::CloudWatch::Alarm'), ...resources(template, 'AWS::CloudWatch::CompositeAlarm')].map(({ Properties }) => String(Properties.AlarmDescription)),
  ...resources(template, 'AWS::Events::Rule').map(({ Properties }) => JSON.stringify(Properties.Targets)),
]);
const anchors = new Set(told.flatMap(text => [...text.matchAll(/docs\/operations\.md#(\w+)/g)].map(([, anchor]) => anchor)));

describe('the handbook', () => {
  test('has a place for all that the topic is told, and for nothing else', () => {
    expect(headings.map(heading => heading.toLowerCase()).sort()).toEqual([...anchors].sort());
  });

  test('has each in its table: what happened, what it means, the first step', () => {
    expect(rows.map(([, name]) => name).sort()).toEqual([...headings].sort());
  });

  test('marks those that make the worker unhealthy', () => {
    const [{ Properties }] = resources(templateOf(), 'AWS::CloudWatch::CompositeAlarm');
    const marked = rows.filter(([,,, mark]) => mark).map(([, name]) => name);
    expect(Properties.AlarmDescription).toMatch(/^One of these is in ALARM: ([\w, ]+)\./);
    expect([.../: ([\w, ]+)\./.exec(Properties.AlarmDescription)![1].split(', ')].sort()).toEqual(marked.sort());
  });

  test('finds the log of a flow run: the log group by the start of an output\'s name, the query by its name', () => {
    const template = templateOf();
    const [, start] = /starts_with\(OutputKey, '(\w+)'\)/.exec(handbook)!;
    const found = Object.entries(template.findOutputs('*')).filter(([name]) => name.startsWith(start)).map(([, { Value }]) => Value.Ref);
    const groups = resources(template, 'AWS::ECS::TaskDefinition').flatMap(({ Properties }) => Properties.ContainerDefinitions.map((container: any) => container.LogConfiguration.Options['awslogs-group'].Ref));
    expect(found).toHaveLength(1);
    expect(new Set(groups)).toEqual(new Set(found));
    const queries = resources(template, 'AWS::Logs::QueryDefinition').map(({ Properties }) => Properties.Name);
    expect(queries.filter(name => !name.startsWith('prefect/Stack/'))).toEqual([]);
    expect(handbook).toContain('saved queries under `prefect/<stack>/`');
  });
});
