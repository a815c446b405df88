import { Resolver } from '../intrinsics';
import { asArray, ofType, targetOf } from '../template';
import type { Remark, Rule } from '../types';

/** The longest time that Fargate waits between SIGTERM and SIGKILL. */
const LONGEST_STOP = 120;

/** A service can replace its tasks, goes back when the new ones fail, and its containers are pinned, watched and logged. */
export const deployments: Rule = (template, { named }) => {
  const resolver = new Resolver(template, { imports: named.imports });
  const served = new Set<string>();
  const services = ofType(template, 'AWS::ECS::Service').flatMap(([id, { Properties = {} }]) => {
    const task = targetOf(template, Properties.TaskDefinition);
    if (task) {
      served.add(task);
    }
    return serviceFaults(resolver.resolve(Properties)).map((message) => ({ logicalId: id, message }));
  });
  const tasks = ofType(template, 'AWS::ECS::TaskDefinition').flatMap(([id, { Properties = {} }]) =>
    asArray<any>(resolver.resolve(Properties.ContainerDefinitions)).flatMap((container) => containerFaults(container, served.has(id)))
      .map((message): Remark => ({ logicalId: id, message })));
  return [...services, ...tasks];
};

function serviceFaults(service: any): string[] {
  const deployment = service.DeploymentConfiguration ?? {};
  const { MinimumHealthyPercent: minimum = 100, MaximumPercent: maximum = 200, DeploymentCircuitBreaker: breaker } = deployment;
  const faults: string[] = [];
  if (minimum >= 100 && maximum <= 100) {
    faults.push(`A deployment can neither stop a task (minimum ${minimum} %) nor start one (maximum ${maximum} %), so it hangs.`);
  }
  if (minimum < 100) {
    faults.push(`A deployment may stop tasks before their successors run: its minimum is ${minimum} %.`);
  }
  if (!breaker?.Enable || !breaker?.Rollback) {
    faults.push('A deployment that fails is not rolled back: it has no circuit breaker with rollback.');
  }
  if (service.AvailabilityZoneRebalancing !== 'ENABLED') {
    faults.push('Its tasks are not spread again after a zone failed: availability zone rebalancing is off.');
  }
  if (service.AvailabilityZoneRebalancing === 'ENABLED' && maximum <= 100) {
    faults.push('ECS refuses availability zone rebalancing with a maximum of 100 %.');
  }
  return faults;
}

function containerFaults(container: any, inService: boolean): string[] {
  const faults: string[] = [];
  const name = `The container ${container.Name}`;
  const essential = container.Essential !== false;
  if (essential && container.StopTimeout === undefined) {
    faults.push(`${name} has only 30 seconds to stop: it has no stop timeout.`);
  }
  if (container.StopTimeout > LONGEST_STOP) {
    faults.push(`${name} asks for ${container.StopTimeout} seconds to stop; Fargate gives at most ${LONGEST_STOP}.`);
  }
  const image = String(container.Image);
  const tag = /:([^:/@]+)$/.exec(image.split('@')[0])?.[1];
  if (!image.includes('@sha256:') && (tag === undefined || /(^|-)(latest|stable|main|master|nightly)($|-)/.test(tag))) {
    faults.push(`${name} runs whatever ${image} is that day: pin a version.`);
  } else if (!image.includes('@sha256:') && !/\d+\.\d+\.\d+|^[0-9a-f]{32,}$/.test(tag ?? '')) {
    faults.push(`${name} runs ${image}, whose tag moves between patch releases: pin all three numbers, or a digest.`);
  }
  if (!container.LogConfiguration?.LogDriver) {
    faults.push(`${name} writes its logs nowhere.`);
  } else if (container.LogConfiguration.LogDriver === 'awslogs') {
    const missing = ['awslogs-group', 'awslogs-region', 'awslogs-stream-prefix'].filter((option) => !container.LogConfiguration.Options?.[option]);
    faults.push(...missing.map((option) => `${name} has no ${option}, without which Fargate doesn't start it.`));
  }
  if (inService && essential && !container.HealthCheck) {
    faults.push(`${name} is not replaced when it hangs: it has no health check.`);
  }
  return faults;
}
