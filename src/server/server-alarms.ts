import { aws_cloudwatch as cloudwatch, aws_cloudwatch_actions as actions, aws_ecs as ecs, aws_elasticloadbalancingv2 as elbv2, Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { ServerParts } from './server-parts';
import { connectionsOf } from './validate-server';
import { AlarmDefinition, math, MINUTE } from '../observability/alarm-definition';
import { AlarmTopics } from '../observability/alarm-topics';
import { containerInsights } from '../observability/metrics';
import { runbook } from '../observability/runbook';

type ServerAlarm = Omit<AlarmDefinition, 'name'> & { readonly name: string };

const { NOT_BREACHING } = cloudwatch.TreatMissingData;
const { SUM, AVERAGE, MAXIMUM, MINIMUM } = cloudwatch.Stats;
const AVERAGE_OF_A_MINUTE = { period: MINUTE, statistic: AVERAGE };

/**
 * While nothing is wrong, Valkey has the messages of the last minute or two, of about 1 KB each: the background services take away what all of them
 * have fetched. A flow run of 20 task runs leaves about 80, so this is 400 of them.
 */
const BACKLOG_MIB = 32;

/** Alarms of a server, published to one topic. */
export class ServerAlarms extends Construct {
  public readonly byName: { [name: string]: cloudwatch.Alarm } = {};

  constructor(scope: Construct, id: string, parts: ServerParts, topics: AlarmTopics) {
    super(scope, id);
    const topic = topics.page;
    topics.letPublish(topic, 'cloudwatch');
    for (const definition of serverAlarms(parts)) {
      const { name, metric, threshold, happened, means, firstStep } = definition;
      const { datapoints: [datapointsToAlarm, evaluationPeriods], missing: treatMissingData } = definition;
      const alarm = new cloudwatch.Alarm(this, name, {
        metric,
        threshold,
        datapointsToAlarm,
        evaluationPeriods,
        treatMissingData,
        comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        alarmDescription: `${happened} ${means} First step: ${firstStep} Server ${parts.path}, ${runbook(name, 'server.md')}`,
      });
      alarm.addAlarmAction(new actions.SnsAction(topic));
      alarm.addOkAction(new actions.SnsAction(topic));
      this.byName[name] = alarm;
    }
  }
}

/** What an operator of this server wants to hear of. */
function serverAlarms(parts: ServerParts): ServerAlarm[] {
  return [...tasks(parts), ...loadBalancer(parts), ...database(parts), ...redis(parts), ...firewall(parts)];
}

function tasks({ containerInsights: known, services: { api, services } }: ServerParts): ServerAlarm[] {
  return [
    ...(known ? [{
      name: 'ServerAway',
      metric: missing(api, 'wanted > 0 AND FILL(running, 0) < 1'),
      threshold: 1,
      datapoints: [3, 3] as const,
      missing: NOT_BREACHING,
      happened: 'No task of the Prefect API has been running for three minutes.',
      means: 'Workers find no work, and flow runs can\'t say what becomes of them.',
      firstStep: 'Read the service\'s events and the reasons of its stopped tasks.',
    }, {
      name: 'ServerTasksMissing',
      metric: missing(api, 'wanted > FILL(running, 0)'),
      threshold: 1,
      datapoints: [10, 10] as const,
      missing: NOT_BREACHING,
      happened: 'For ten minutes fewer tasks of the API have been running than the service wants.',
      means: 'Tasks don\'t start, or end again at once.',
      firstStep: 'Read the service\'s events and the reasons of its stopped tasks.',
    }] : []),
    ...(known && services ? [{
      name: 'ServerServicesAway',
      metric: missing(services, 'wanted > 0 AND FILL(running, 0) < 1'),
      threshold: 1,
      datapoints: [3, 3] as const,
      missing: NOT_BREACHING,
      happened: 'No task of the background services has been running for three minutes.',
      means: 'Nothing is scheduled, late runs are not marked, events and task runs are not recorded; all of it catches up.',
      firstStep: 'Read the service\'s events and the reasons of its stopped tasks.',
    }] : []),
    ...(services ? [{
      name: 'ServerServicesBusy',
      metric: services.metricCpuUtilization(AVERAGE_OF_A_MINUTE),
      threshold: 80,
      datapoints: [15, 15] as const,
      missing: NOT_BREACHING,
      happened: 'The background services have been busy for 15 minutes.',
      means: 'They fall behind: runs start late, and the UI shows task runs late.',
      firstStep: 'Raise servicesTasks of the server\'s size.',
    }] : []),
    {
      name: 'ServerBusy',
      metric: api.metricCpuUtilization(AVERAGE_OF_A_MINUTE),
      threshold: 90,
      datapoints: [15, 15],
      missing: NOT_BREACHING,
      happened: 'The tasks of the API have been busy for 15 minutes.',
      means: 'Answers take long, and heartbeats may come late.',
      firstStep: 'Raise maxApiTasks of the server\'s size, or give a small server more cpu.',
    },
  ];
}

/** Whether tasks are missing; without a running one there may be no count of them. */
function missing(service: ecs.FargateService, condition: string): cloudwatch.IMetric {
  return math(`IF(${condition}, 1, 0)`, {
    wanted: containerInsights(service, 'DesiredTaskCount'), running: containerInsights(service, 'RunningTaskCount'),
  }, 'Missing tasks');
}

function loadBalancer({ loadBalancer: balancer }: ServerParts): ServerAlarm[] {
  if (!balancer) return [];
  const { targetGroup, certificate } = balancer;
  return [
    {
      name: 'ServerErrors',
      metric: targetGroup.metrics.httpCodeTarget(elbv2.HttpCodeTarget.TARGET_5XX_COUNT, { statistic: SUM, period: MINUTE }),
      threshold: 10,
      datapoints: [3, 5],
      missing: NOT_BREACHING,
      happened: 'The server answers requests with errors.',
      means: 'Clients try again; what they do is late.',
      firstStep: 'Look at the database first, then for tracebacks in the logs of the API.',
    },
    {
      name: 'ServerSlow',
      metric: targetGroup.metrics.targetResponseTime({ statistic: cloudwatch.Stats.p(95), period: MINUTE }),
      threshold: 5,
      datapoints: [5, 5],
      missing: NOT_BREACHING,
      happened: 'One of twenty answers takes five seconds or more.',
      means: 'Clients give up after 60 seconds, and workers poll more slowly.',
      firstStep: 'Compare the CPU of the API with that of the database, and give the busier one more.',
    },
    {
      name: 'ServerCertificate',
      // AWS Certificate Manager publishes it twice a day, so that in shorter periods the alarm would come and go.
      metric: math('IF(days < 21, 1, 0)', { days: certificate.metricDaysToExpiry({ statistic: MINIMUM }) }, 'Expires soon', Duration.days(1)),
      threshold: 1,
      datapoints: [1, 1],
      missing: NOT_BREACHING,
      happened: 'The certificate of the server expires within three weeks.',
      means: 'AWS Certificate Manager renews it 60 days before, and could not.',
      firstStep: 'Look at the certificate in AWS Certificate Manager: the record that validates it has to be in the zone.',
    },
  ];
}

function database({ database: { instance, cluster }, databaseOptions }: ServerParts): ServerAlarm[] {
  const source = instance ?? cluster;
  if (!source) return [];
  const connections = connectionsOf(databaseOptions);
  return [
    {
      name: 'ServerDatabaseBusy',
      metric: source.metricCPUUtilization(AVERAGE_OF_A_MINUTE),
      threshold: 85,
      datapoints: [15, 15],
      missing: NOT_BREACHING,
      happened: 'The database has been busy for 15 minutes.',
      means: 'All that the server does is slow.',
      firstStep: 'Give it a larger class or more capacity, or shorten eventRetention.',
    },
    ...(connections === undefined ? [] : [{
      name: 'ServerDatabaseConnections',
      metric: source.metricDatabaseConnections({ statistic: MAXIMUM, period: MINUTE }),
      threshold: Math.floor(0.8 * connections),
      datapoints: [5, 5] as const,
      missing: NOT_BREACHING,
      happened: 'Four of five connections of the database are taken.',
      means: 'Beyond them, requests are answered with an error.',
      firstStep: 'See who else is connected; give the database a larger class or more capacity.',
    }]),
    ...(instance ? [{
      name: 'ServerDatabaseStorage',
      metric: math('IF(free < 2147483648, 1, 0)', { free: instance.metricFreeStorageSpace({ statistic: MINIMUM, period: MINUTE }) }, 'Nearly full'),
      threshold: 1,
      datapoints: [5, 5] as const,
      missing: NOT_BREACHING,
      happened: 'The database has less than 2 GiB of its disk left, and could not grow.',
      means: 'When it is full, it stops.',
      firstStep: 'Raise allocatedStorageGiB, or shorten eventRetention and flowRunRetention.',
    }] : []),
  ];
}

function redis({ redis: messages }: ServerParts): ServerAlarm[] {
  if (!messages?.replicationGroup) return [];
  return [{
    name: 'ServerServicesBehind',
    metric: messages.metricOfFullestNode('BytesUsedForCache', { period: MINUTE, label: 'Bytes' }),
    threshold: BACKLOG_MIB * 1024 * 1024,
    datapoints: [10, 10],
    missing: NOT_BREACHING,
    happened: `For ten minutes more than ${BACKLOG_MIB} MiB of messages have been waiting in Valkey.`,
    means: 'The background services record events and task runs later than they come, and automations start late.',
    firstStep: 'See whether the background services run and how busy they are, and raise servicesTasks.',
  }, {
    name: 'ServerRedisMemory',
    metric: messages.metricOfFullestNode('DatabaseMemoryUsagePercentage', { period: MINUTE, label: 'Percent' }),
    threshold: 75,
    datapoints: [5, 5],
    missing: NOT_BREACHING,
    happened: 'Three quarters of Valkey\'s memory are taken.',
    means: 'Messages pile up that the background services don\'t fetch; when it is full, requests are answered with an error.',
    firstStep: 'See whether the background services run, and raise servicesTasks.',
  }];
}

function firewall({ firewall: wall }: ServerParts): ServerAlarm[] {
  if (!wall) return [];
  return [{
    name: 'ServerFirewallBlocks',
    metric: wall.blockedRequests(),
    threshold: 100,
    datapoints: [3, 5],
    missing: NOT_BREACHING,
    happened: 'The firewall has been blocking more than a hundred requests a minute.',
    means: 'Somebody attacks the server, or a rule blocks your own clients, whose requests are not tried again.',
    firstStep: 'Look in the firewall\'s log for the addresses and the rules; where they are yours, set firewall.countOnly meanwhile.',
  }];
}
