import { Duration, Token } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { AlarmOptions, PrefectFargateWorkerProps, WorkerType } from '../../src';
import { Alarm, Minute, minutes } from '../support/alarms';
import { addWorker, newStack, resource, resources, templateOf, text } from '../support/worker';

const ecs = templateOf();
const process = templateOf({ workerType: WorkerType.PROCESS, scaling: { minWorkers: 1 } });
const fromZero = templateOf({ workerType: WorkerType.PROCESS, scaling: { minWorkers: 0 } });
const standby = templateOf({ workerType: WorkerType.PROCESS, scaling: { standby: {} } });
const budgeted = templateOf({ observability: { monthlyBudget: 730 } });
const ecsStandby = templateOf({ scaling: { standby: {} } });

/** The names of a worker's alarms. */
const alarmsOf = (template: Template) => Object.keys(template.findResources('AWS::CloudWatch::Alarm')).flatMap(id => /ObservabilityAlarms(\w+)[0-9A-F]{8}$/.exec(id)?.[1] ?? []);

/** An alarm's life: quiet while all is well, off by its fault, off no longer when the fault is gone. */
interface Life {
  readonly name: string;
  readonly template: Template;
  readonly well: Minute;
  readonly fault: Minute;
  /** After how many minutes of the fault the alarm goes off, and not a minute earlier. */
  readonly after: number;
  /** How many minutes stand for one, where the alarm's metric is slower. @default 1 */
  readonly pace?: number;
  /** How long what stands for a minute is, where the alarm looks at weeks. @default 60 */
  readonly seconds?: number;
  /** What it says when nothing is measured any more, coming from OK and from ALARM. */
  readonly silence: readonly [string, string];
}

const KEPT = ['OK', 'ALARM'] as const;
const FORGIVEN = ['OK', 'OK'] as const;

const lives: Life[] = [
  { name: 'NoWorkerOnline', template: ecs, well: { online: 2 }, fault: { online: 0 }, after: 3, silence: KEPT },
  { name: 'NoWorkerOnline', template: process, well: { online: 1 }, fault: { online: 0 }, after: 3, silence: KEPT },
  { name: 'NoWorkerOnline', template: fromZero, well: { online: 1, wanted: 1 }, fault: { online: 0, wanted: 1 }, after: 8, silence: KEPT },
  { name: 'NoWorkerOnline', template: standby, well: { online: 2, wanted: 0 }, fault: { online: 0, wanted: 1 }, after: 8, silence: KEPT },
  { name: 'StandbyTookOver', template: standby, well: { RequiredWorkers: 0 }, fault: { RequiredWorkers: 1 }, after: 1, silence: KEPT },
  { name: 'LateRuns', template: ecs, well: { LateRuns: 9 }, fault: { LateRuns: 10 }, after: 5, silence: KEPT },
  { name: 'OldestLateRun', template: ecs, well: { OldestLateSeconds: 899 }, fault: { OldestLateSeconds: 900 }, after: 3, silence: KEPT },
  { name: 'CrashedRuns', template: ecs, well: { CrashedRuns: 0 }, fault: { CrashedRuns: 1 }, after: 5, silence: FORGIVEN },
  { name: 'PublisherFailing', template: ecs, well: { errors: 0, broken: 0 }, fault: { errors: 1, broken: 0 }, after: 3, silence: FORGIVEN },
  { name: 'PublisherFailing', template: ecs, well: { errors: 0, broken: 0 }, fault: { broken: 1 }, after: 3, silence: FORGIVEN },
  { name: 'PublisherSilent', template: ecs, well: { reports: 0 }, fault: {}, after: 4, silence: ['ALARM', 'ALARM'] },
  { name: 'RescueFailing', template: ecs, well: { errors: 0, throttles: 0 }, fault: { errors: 1, throttles: 0 }, after: 3, silence: FORGIVEN },
  { name: 'RescueFailing', template: process, well: { errors: 0, throttles: 0 }, fault: { throttles: 1 }, after: 3, silence: FORGIVEN },
  { name: 'FewerTasksThanWanted', template: ecs, well: { desired: 2, running: 2 }, fault: { desired: 2, running: 1 }, after: 10, silence: FORGIVEN },
  { name: 'HighCpu', template: ecs, well: { CPUUtilization: 89 }, fault: { CPUUtilization: 90 }, after: 15, silence: FORGIVEN },
  { name: 'HighMemory', template: ecs, well: { MemoryUtilization: 89 }, fault: { MemoryUtilization: 90 }, after: 5, silence: FORGIVEN },
  { name: 'EventsUnread', template: ecs, well: { ApproximateAgeOfOldestMessage: 300 }, fault: { ApproximateAgeOfOldestMessage: 900 }, after: 5, silence: FORGIVEN },
  { name: 'DeadLetters', template: ecs, well: { ApproximateNumberOfMessagesVisible: 0 }, fault: { ApproximateNumberOfMessagesVisible: 1 }, after: 1, silence: FORGIVEN },
  { name: 'WorkPoolChanged', template: ecs, well: {}, fault: { WorkPoolChanges: 1 }, after: 1, silence: FORGIVEN, pace: 60 },
  // A dollar an hour is the budget, so 134.4 a week are 80% of it.
  { name: 'OverBudget', template: budgeted, well: { workers: 50, runs: 84 }, fault: { workers: 50, runs: 85 }, after: 1, silence: FORGIVEN, seconds: 604_800 },
  { name: 'OverBudget', template: budgeted, well: { workers: 134 }, fault: { workers: 135 }, after: 1, silence: FORGIVEN, seconds: 604_800 },
  { name: 'NatPortsExhausted', template: ecs, well: { nat0: 0, nat1: 0 }, fault: { nat0: 0, nat1: 1 }, after: 2, silence: FORGIVEN },
];

describe.each(lives.map(life => [life.name, life] as const))('%s', (name, { template, well, fault, after, silence, pace = 1, seconds }) => {
  const long = (count: number, minute?: Minute) => minutes(count * pace, minute);

  test('is OK while all is well', () => {
    expect(new Alarm(template, name, seconds).after(long(60, well))).toBe('OK');
  });

  test('goes off for its fault, and not too early', () => {
    const alarm = new Alarm(template, name, seconds);
    alarm.after(long(30, well));
    expect(alarm.after(long(after - 1, fault))).toBe('OK');
    expect(alarm.after(long(1, fault))).toBe('ALARM');
    expect(alarm.after(long(60, fault))).toBe('ALARM');
  });

  test('is OK again when the fault is gone', () => {
    const alarm = new Alarm(template, name, seconds);
    alarm.after([...long(30, well), ...long(30, fault)]);
    expect(alarm.after(long(20, well))).toBe('OK');
  });

  test('treats silence as what it means', () => {
    const alarm = new Alarm(template, name, seconds);
    alarm.after(long(30, well));
    expect(alarm.after(long(60))).toBe(silence[0]);
    const off = new Alarm(template, name, seconds);
    off.after([...long(30, well), ...long(30, fault)]);
    expect(off.after(long(60))).toBe(silence[1]);
  });

  test('says what happened, what it means and the first step, within what CloudWatch keeps', () => {
    const { description } = new Alarm(template, name, seconds);
    expect(description).toMatch(/^[A-Z][^.]+\. .+\. First step: .+ Worker Stack\/Worker, https:\S+$/);
    expect(description.endsWith(`docs/operations.md#${name.toLowerCase()}`)).toBe(true);
    expect(description.length).toBeLessThanOrEqual(1024);
  });
});

test('every alarm has its life above', () => {
  const described = [...new Set(lives.map(({ name }) => name))].sort();
  expect([...new Set([ecs, process, fromZero, standby, ecsStandby, budgeted].flatMap(alarmsOf))].sort()).toEqual(described);
});

describe('scaled to zero on purpose', () => {
  const nothing: Minute = {
    online: 0,
    wanted: 0,
    RequiredWorkers: 0,
    LateRuns: 0,
    OldestLateSeconds: 0,
    CrashedRuns: 0,
    errors: 0,
    throttles: 0,
    broken: 0,
    reports: 0,
    desired: 0,
    running: 0,
    age: 0,
    ApproximateNumberOfMessagesVisible: 0,
    nat0: 0,
    nat1: 0,
  };

  test.each([
    ...alarmsOf(fromZero).map(name => ['PROCESS workers without demand', name, fromZero] as const),
    ...alarmsOf(standby).map(name => ['a standby', name, standby] as const),
    ...alarmsOf(ecsStandby).map(name => ['an ECS standby', name, ecsStandby] as const),
  ])('%s raise no %s in a whole day', (_, name, template) => {
    expect(new Alarm(template, name).after(minutes(24 * 60, nothing))).toBe('OK');
  });

  test.each([
    ['PROCESS workers without demand', fromZero, { online: 0, wanted: 0 }],
    ['a standby whose pool another serves', standby, { online: 2, wanted: 0 }],
    ['a standby whose pool has no worker and no runs', standby, { online: 0, wanted: 0 }],
  ])('%s raise no alarm', (_, template, minute) => {
    expect(new Alarm(template, 'NoWorkerOnline').after(minutes(600, minute))).toBe('OK');
  });

  test('no task wanted and none running is no lack of tasks, with and without a count', () => {
    expect(new Alarm(fromZero, 'FewerTasksThanWanted').after(minutes(60, { desired: 0, running: 0 }))).toBe('OK');
    expect(new Alarm(fromZero, 'FewerTasksThanWanted').after(minutes(60, { desired: 0 }))).toBe('OK');
  });

  test('events that wait for an ECS standby are no fault', () => {
    const alarm = new Alarm(ecsStandby, 'EventsUnread');
    expect(alarm.after(minutes(60, { age: 5000, wanted: 0 }))).toBe('OK');
    expect(alarm.after(minutes(5, { age: 5000, wanted: 1 }))).toBe('ALARM');
  });

  test('a worker that is started for the first due run has eight minutes', () => {
    const alarm = new Alarm(fromZero, 'NoWorkerOnline');
    alarm.after([...minutes(30, { online: 0, wanted: 0 }), ...minutes(7, { online: 0, wanted: 1 })]);
    expect(alarm.after(minutes(30, { online: 1, wanted: 1 }))).toBe('OK');
  });
});

describe('on the first deployment', () => {
  test('a publisher that has not spoken yet is not silent; it is when it stops', () => {
    const alarm = new Alarm(ecs, 'PublisherSilent');
    expect(alarm.after(minutes(30))).toBe('INSUFFICIENT_DATA');
    expect(alarm.after([{ reports: 0 }])).toBe('OK');
    expect(alarm.after(minutes(3))).toBe('OK');
    expect(alarm.after(minutes(1))).toBe('ALARM');
  });

  test('a publisher that never manages to speak is failing', () => {
    expect(new Alarm(ecs, 'PublisherFailing').after(minutes(3, { broken: 1 }))).toBe('ALARM');
  });

  test.each([...new Set(lives.map(({ name, template }) => [name, template] as const))])('%s is not off before anything is measured', (name, template) => {
    expect(new Alarm(template, name).after(minutes(30))).not.toBe('ALARM');
  });
});

test('a lack of tasks shows where there is no task left to count', () => {
  expect(new Alarm(ecs, 'FewerTasksThanWanted').after([...minutes(30, { desired: 2, running: 2 }), ...minutes(10, { desired: 2 })])).toBe('ALARM');
});

describe('WorkerUnhealthy', () => {
  const composite = (template: Template) => resource(template, 'AWS::CloudWatch::CompositeAlarm').Properties;

  test('is any of the alarms for which flow runs don\'t start', () => {
    const rule = text(composite(ecs).AlarmRule);
    expect(rule.match(/Alarms(\w+?)[0-9A-F]{8}\.Arn/g).map((match: string) => match.slice(6, -12)))
      .toEqual(['NoWorkerOnline', 'PublisherFailing', 'PublisherSilent', 'RescueFailing', 'FewerTasksThanWanted']);
    expect(rule).toMatch(/^\(ALARM\("[^"]+"\)( OR ALARM\("[^"]+"\))+\)$/);
  });

  /** Its state while one of the worker's alarms is in ALARM. */
  const whileIn = (alarm?: string) => {
    const states = text(composite(ecs).AlarmRule).slice(1, -1).split(' OR ')
      .map((condition: string) => new RegExp(`^ALARM\\("\\{WorkerObservabilityAlarms${alarm}[0-9A-F]{8}\\.Arn\\}"\\)$`).test(condition));
    return states.includes(true) ? 'ALARM' : 'OK';
  };

  test.each(lives.filter(({ template }) => template === ecs).map(life => [life.name, life] as const))('follows %s into ALARM and back to OK, or is left alone by it', (name, { well, fault }) => {
    const critical = ['NoWorkerOnline', 'PublisherFailing', 'PublisherSilent', 'RescueFailing', 'FewerTasksThanWanted'].includes(name);
    const alarm = new Alarm(ecs, name);
    const states = [well, fault, well].map(minute => (alarm.after(minutes(30, minute)) === 'ALARM' ? whileIn(name) : whileIn()));
    expect(states).toEqual(critical ? ['OK', 'ALARM', 'OK'] : ['OK', 'OK', 'OK']);
  });

  test('has no name that another stack could have', () => {
    expect(composite(ecs).AlarmName).toBeUndefined();
  });
});

test('every alarm tells the topic of both ways', () => {
  for (const { Properties } of [...resources(ecs, 'AWS::CloudWatch::Alarm').filter(({ Properties: { AlarmDescription } }) => /First step/.test(AlarmDescription)), ...resources(ecs, 'AWS::CloudWatch::CompositeAlarm')]) {
    expect(text(Properties.AlarmActions)).toEqual([expect.stringMatching(/^\{PrefectWorkersSharedTopic/)]);
    expect(Properties.OKActions).toEqual(Properties.AlarmActions);
  }
});

describe('thresholds', () => {
  const alarms: AlarmOptions = {
    lateRuns: { threshold: 3 },
    oldestLateRun: { threshold: Duration.minutes(2) },
    crashedRuns: { threshold: 4 },
    highCpu: { threshold: 50 },
    highMemory: { threshold: 60 },
    eventsUnread: { threshold: Duration.minutes(3) },
    fewerTasksThanWanted: { threshold: 2 },
    deadLetters: { threshold: 5 },
    natPortsExhausted: { threshold: 7 },
  };

  test('are yours', () => {
    const own = templateOf({ observability: { alarms } });
    const thresholds = Object.fromEntries(Object.keys(alarms).map(key => key[0].toUpperCase() + key.slice(1))
      .map(name => [name, resource(own, 'AWS::CloudWatch::Alarm', new RegExp(`Alarms${name}`)).Properties.Threshold]));
    expect(thresholds).toEqual({
      LateRuns: 3,
      OldestLateRun: 120,
      CrashedRuns: 4,
      HighCpu: 50,
      HighMemory: 60,
      EventsUnread: 180,
      FewerTasksThanWanted: 2,
      DeadLetters: 5,
      NatPortsExhausted: 7,
    });
  });

  test.each<[AlarmOptions, string]>([
    [{ lateRuns: { threshold: 0 } }, 'observability.alarms.lateRuns.threshold is 0: give a whole number of at least 1.'],
    [{ crashedRuns: { threshold: 0.5 } }, 'observability.alarms.crashedRuns.threshold is 0.5: give a whole number of at least 1.'],
    [{ deadLetters: { threshold: -1 } }, 'observability.alarms.deadLetters.threshold is -1: give a whole number of at least 1.'],
    [{ highCpu: { threshold: 0 } }, 'observability.alarms.highCpu.threshold is 0: give a percentage above 0 and up to 100.'],
    [{ highMemory: { threshold: 101 } }, 'observability.alarms.highMemory.threshold is 101: give a percentage above 0 and up to 100.'],
    [{ oldestLateRun: { threshold: Duration.seconds(30) } }, 'observability.alarms.oldestLateRun.threshold is "Duration.seconds(30)": give at least a minute; metrics are published once a minute.'],
    [{ eventsUnread: { threshold: Duration.seconds(1) } }, 'observability.alarms.eventsUnread.threshold is "Duration.seconds(1)": give at least a minute; metrics are published once a minute.'],
  ])('%j are refused', (options, message) => {
    expect(() => addWorker(newStack(), { observability: { alarms: options } })).toThrow(message);
  });

  test('that are known only at deployment are taken', () => {
    const threshold = Token.asNumber({ Ref: 'Threshold' });
    const given: AlarmOptions = { lateRuns: { threshold }, highCpu: { threshold }, oldestLateRun: { threshold: Duration.seconds(threshold) } };
    const own = templateOf({ observability: { alarms: given } });
    for (const name of ['LateRuns', 'HighCpu', 'OldestLateRun']) {
      expect(resource(own, 'AWS::CloudWatch::Alarm', new RegExp(`Alarms${name}`)).Properties.Threshold).toEqual({ Ref: 'Threshold' });
    }
  });
});

describe('an alarm is left out where nobody publishes its metric:', () => {
  const names = (props: Partial<PrefectFargateWorkerProps> | Parameters<typeof templateOf>[0]) =>
    Object.keys(templateOf(props).findResources('AWS::CloudWatch::Alarm')).join();

  test('the count of tasks, in a cluster of which nothing is known', () => {
    const own = newStack();
    const worker = addWorker(own, {}, 'First');
    expect(Object.keys(worker.alarms)).toContain('FewerTasksThanWanted');
  });

  test('the task events, for PROCESS workers', () => {
    expect(names({ workerType: WorkerType.PROCESS })).not.toMatch(/EventsUnread|DeadLetters/);
  });

  test('NAT gateways, where there is none', () => {
    expect(names({ network: { natGateways: 0 } })).not.toMatch(/NatPorts/);
  });
});
