import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DescribeServicesCommand, ECSClient } from '@aws-sdk/client-ecs';
import { fieldsOf, LogLine, Sample } from './recording';
import { metricKey } from '../../../bench/scaling/aws/metrics';
import { visibleMessages } from '../../../test/live/support/queue';
import { clientConfiguration, StandIn } from '../../../test/stand-in/stand-in';

/** How often, in real seconds. */
const EVERY = 2;

/** Where a recording gets the metrics from that AWS publishes of itself, and the stand-in doesn't. */
export interface Measured {
  readonly cluster: string;
  readonly services: readonly string[];
  readonly queues: readonly string[];
  readonly functions: readonly string[];
}

/**
 * Measures on the stand-in what AWS would publish of the same things: tasks, what they reserve, queues. What it can't
 * stand for is left out: a local process is not held to the CPU and memory of its task, and no byte goes through a NAT gateway.
 */
export class Measuring {
  public readonly samples: Record<string, Sample[]> = {};
  private running = true;
  /** The minute in which tasks last reported what they reserve. */
  private reported = -1;
  private readonly loop: Promise<void>;
  private readonly ecs: ECSClient;

  constructor(private readonly standIn: StandIn, private readonly measured: Measured, private readonly awsTime: (time: number) => number) {
    this.ecs = new ECSClient(clientConfiguration(standIn));
    this.loop = this.measure();
  }

  public async stop(): Promise<void> {
    this.running = false;
    await this.loop;
    for (const name of this.measured.functions) await this.invocations(name);
  }

  /** What CloudWatch counts of a log group: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch-Logs-Monitoring-CloudWatch-Metrics.html */
  public logs(group: string, lines: readonly LogLine[], errorMetric: string): void {
    for (const line of lines) {
      const at = Date.parse(line.time);
      this.add(metricKey('AWS/Logs', 'IncomingBytes', { LogGroupName: group }), Buffer.byteLength(line.message) + 26, at);
      // The metric filter: 1 for each line with such a level, 0 for all others.
      this.add(errorMetric, ['ERROR', 'CRITICAL'].includes(fieldsOf(line).levelname) ? 1 : 0, at);
    }
  }

  private async measure(): Promise<void> {
    while (this.running) {
      await Promise.all([this.tasks(), ...this.measured.queues.map(queue => this.messages(queue))]);
      await sleep(EVERY * 1000);
    }
  }

  private async tasks(): Promise<void> {
    const { cluster } = this.measured;
    const ClusterName = cluster.split('/').pop()!;
    const { services } = await this.ecs.send(new DescribeServicesCommand({ cluster, services: [...this.measured.services] }));
    for (const { serviceName: ServiceName, runningCount, desiredCount, deployments } of services!) {
      const counts = { RunningTaskCount: runningCount!, DesiredTaskCount: desiredCount!, DeploymentCount: deployments!.length };
      for (const [name, count] of Object.entries(counts)) this.add(metricKey('ECS/ContainerInsights', name, { ClusterName, ServiceName: ServiceName! }), count);
    }
    // Container Insights has one sample of each task a minute.
    const minute = Math.floor(this.awsTime(Date.now()) / 60);
    if (minute === this.reported) return;
    this.reported = minute;
    const running = (await this.standIn.tasks()).filter(({ lastStatus }) => lastStatus === 'RUNNING') as unknown as { cpu: string; memory: string }[];
    for (const [name, of] of [['CpuReserved', 'cpu'], ['MemoryReserved', 'memory']] as const) {
      for (const task of running) this.add(metricKey('ECS/ContainerInsights', name, { ClusterName }), Number(task[of]));
    }
  }

  private async messages(queue: string): Promise<void> {
    this.add(metricKey('AWS/SQS', 'ApproximateNumberOfMessagesVisible', { QueueName: queue.split('/').pop()! }), await visibleMessages(this.standIn, queue));
  }

  /** The stand-in notes each invocation of a function in its log. */
  private async invocations(name: string): Promise<void> {
    const log = await readFile(join(this.standIn.directory, 'lambda', `${name}.log`), 'utf8');
    for (const [, time] of log.matchAll(/^--- (\S+) \S+$/gm)) this.add(metricKey('AWS/Lambda', 'Invocations', { FunctionName: name }), 1, Date.parse(time));
  }

  private add(key: string, value: number, at = Date.now()): void {
    (this.samples[key] ??= []).push({ time: this.awsTime(at), value });
  }
}
