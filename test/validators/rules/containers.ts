import { Resolver } from '../intrinsics';
import { asArray, ofType } from '../template';
import type { Remark, Rule } from '../types';
import { workersOf } from '../workers';

/** Variables of OpenTelemetry: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ */
const OTEL =
  /^OTEL_(SERVICE_NAME|RESOURCE_ATTRIBUTES|SDK_DISABLED|LOG_LEVEL|PROPAGATORS|TRACES_SAMPLER|TRACES_SAMPLER_ARG|(TRACES|METRICS|LOGS)_EXPORTER|EXPORTER_OTLP_((TRACES|METRICS|LOGS)_)?(ENDPOINT|PROTOCOL|HEADERS|TIMEOUT|COMPRESSION|CERTIFICATE)|BSP_\w+|BLRP_\w+|\w+_LIMIT|METRIC_EXPORT_(INTERVAL|TIMEOUT)|PYTHON_\w+)$/;

/** What the containers of a task say of each other: names, volumes, places to write to, health. */
export const containers: Rule = (template, { named }) => {
  const resolver = new Resolver(template, { imports: named.imports });
  const workers = new Map(workersOf(resolver).map(({ task, type }) => [task, type]));
  return ofType(template, 'AWS::ECS::TaskDefinition').flatMap(([logicalId, { Properties = {} }]) => {
    const task = resolver.resolve(Properties);
    const all = asArray<any>(task.ContainerDefinitions);
    return [
      ...together(task, all),
      ...volumes(task, all),
      ...order(all),
      ...all.flatMap((container) => alone(resolver, container)),
      ...(workers.has(logicalId) ? all.flatMap(longLived) : []),
      ...(workers.get(logicalId) === 'ecs' ? all.filter(({ Command }) => asArray(Command).includes('--pool')).flatMap(hardened) : []),
    ].map((message): Remark => ({ logicalId, message }));
  });
};

/** Processes that their parent left behind stay for as long as a worker runs, where nothing reaps them. */
function longLived({ Name, Essential, LinuxParameters }: any): string[] {
  return Essential === false || LinuxParameters?.InitProcessEnabled === true ? [] : [`Nothing reaps processes in the container ${Name}.`];
}

function together({ Memory, Cpu }: any, all: any[]): string[] {
  const sum = (key: string) => all.reduce((total, container) => total + Number(container[key] ?? 0), 0);
  return [
    ...doubled(all.map(({ Name }) => Name)).map((name) => `Two containers are called ${name}.`),
    ...(all.some(({ Essential }) => Essential !== false) ? [] : ['None of its containers is essential.']),
    ...(sum('Memory') > Number(Memory) || sum('MemoryReservation') > Number(Memory)
      ? [`Its containers want more memory than its ${Memory} MiB.`]
      : []),
    ...(sum('Cpu') > Number(Cpu) ? [`Its containers want more than its ${Cpu} CPU units.`] : []),
  ];
}

function volumes(task: any, all: any[]): string[] {
  const names = asArray<any>(task.Volumes).map(({ Name }) => Name);
  const mounted = all.flatMap(({ MountPoints }) => asArray<any>(MountPoints));
  return [
    ...mounted
      .filter(({ SourceVolume }) => !names.includes(SourceVolume))
      .map(({ SourceVolume }) => `A container mounts ${SourceVolume}, which is no volume of the task.`),
    ...names.filter((name) => !mounted.some(({ SourceVolume }) => SourceVolume === name)).map((name) => `No container mounts the volume ${name}.`),
    ...names
      .filter((name) => new Set(mounted.filter(({ SourceVolume }) => SourceVolume === name).map(({ ContainerPath }) => ContainerPath)).size > 1)
      .map((name) => `The volume ${name} is at different places in its containers.`),
    ...names
      .filter(
        (name) =>
          mounted.some(({ SourceVolume }) => SourceVolume === name) &&
          mounted.every(({ SourceVolume, ReadOnly }) => SourceVolume !== name || ReadOnly === true),
      )
      .map((name) => `Nothing may write to the volume ${name}.`),
  ];
}

function order(all: any[]): string[] {
  return [
    ...all.flatMap(({ Name, DependsOn }) =>
      asArray<any>(DependsOn).flatMap(({ ContainerName, Condition }) => {
        const before = all.find((other) => other.Name === ContainerName);
        if (!before || ContainerName === Name) return [`The container ${Name} waits for ${ContainerName}, which is no other container of the task.`];
        if (!['START', 'COMPLETE', 'SUCCESS', 'HEALTHY'].includes(Condition)) return [`ECS has no condition ${Condition}.`];
        if (Condition === 'HEALTHY' && !before.HealthCheck) {
          return [`The container ${Name} waits until ${ContainerName} is healthy, which has no health check.`];
        }
        return /^(COMPLETE|SUCCESS)$/.test(Condition) && before.Essential !== false
          ? [`The container ${Name} waits for the end of ${ContainerName}, which ends the task.`]
          : [];
      }),
    ),
    // What writes to a volume, or takes spans, is there before what reads or sends.
    ...all
      .filter(({ Essential }) => Essential === false)
      .filter(({ Name }) => !all.some(({ DependsOn }) => asArray<any>(DependsOn).some(({ ContainerName }) => ContainerName === Name)))
      .map(({ Name }) => `No container waits for ${Name}.`),
  ];
}

function alone(resolver: Resolver, { Name, Environment, Secrets, LogConfiguration, HealthCheck, Essential }: any): string[] {
  const region = LogConfiguration?.Options?.['awslogs-region'];
  const names = [...asArray<any>(Environment), ...asArray<any>(Secrets)].map((variable) => variable.Name);
  return [
    ...doubled(names).map((variable) => `The container ${Name} has the variable ${variable} twice.`),
    ...names.filter((variable) => /^OTEL_/.test(variable) && !OTEL.test(variable)).map((variable) => `OpenTelemetry reads no variable ${variable}.`),
    ...(region === undefined || region === resolver.deployment.region ? [] : [`The container ${Name} writes its logs to the region ${region}.`]),
    ...(LogConfiguration === undefined || ['awslogs', 'awsfirelens', 'splunk'].includes(LogConfiguration.LogDriver)
      ? []
      : [`Fargate has no log driver ${LogConfiguration.LogDriver}.`]),
    ...(HealthCheck === undefined ? [] : healthCheck(Name, HealthCheck, Essential !== false)),
  ];
}

/** A worker that only starts tasks needs no root, and no file system but a place for what it writes. */
function hardened({ Name, ReadonlyRootFilesystem, User, LinuxParameters, Environment, MountPoints }: any): string[] {
  const places = [
    ...asArray<any>(LinuxParameters?.Tmpfs).filter(({ Size, MountOptions }) => Number(Size) >= 16 && asArray(MountOptions).includes('rw')),
    ...asArray<any>(MountPoints).filter(({ ReadOnly }) => ReadOnly !== true),
  ].map(({ ContainerPath }) => ContainerPath);
  const homes = asArray<any>(Environment).filter((variable) => /^(HOME|PREFECT_HOME)$/.test(variable.Name));
  return [
    ...(ReadonlyRootFilesystem === true ? [] : [`The container ${Name} may write to its root file system.`]),
    ...(User !== undefined && !/^(root|0)(:|$)/.test(User) ? [] : [`The container ${Name} runs as root.`]),
    ...homes
      .filter(({ Value }) => !places.some((place) => Value === place || Value.startsWith(`${place}/`)))
      .map((variable) => `${variable.Name} is ${variable.Value}, where the container ${Name} can't write.`),
    ...(homes.length === 2 ? [] : [`Prefect writes to the home of the image's user, where the container ${Name} can't write.`]),
  ];
}

/** https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_HealthCheck.html; a check that takes as long as its interval never ends. */
function healthCheck(name: string, { Command, Interval = 30, Timeout = 5, Retries = 3, StartPeriod = 0 }: any, essential: boolean): string[] {
  return [
    ...(['CMD', 'CMD-SHELL'].includes(asArray<string>(Command)[0]) ? [] : [`The health check of ${name} is no command.`]),
    ...(Timeout <= Interval ? [] : [`The health check of ${name} may take ${Timeout} seconds and begins every ${Interval}.`]),
    ...(Interval >= 5 && Interval <= 300 && Timeout >= 2 && Timeout <= 60 && Retries >= 1 && Retries <= 10 && StartPeriod >= 0 && StartPeriod <= 300
      ? []
      : [`ECS doesn't take the times of the health check of ${name}.`]),
    ...(Retries >= 2 ? [] : [`One failed health check stops ${name}.`]),
    ...(StartPeriod >= 30 || !essential ? [] : [`The health check of ${name} counts from its start, while Prefect is still being loaded.`]),
  ];
}

function doubled<T>(items: T[]): T[] {
  return items.filter((item, index) => items.indexOf(item) !== index);
}
