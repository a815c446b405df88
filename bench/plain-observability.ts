import {
  aws_cloudwatch as cloudwatch, aws_cloudwatch_actions as actions, aws_ecs as ecs, aws_events as events,
  aws_events_targets as targets, aws_iam as iam, aws_kms as kms, aws_lambda as lambda, aws_logs as logs, aws_sns as sns, aws_sqs as sqs,
  Duration, Stack,
} from 'aws-cdk-lib';

interface Observed {
  readonly encryptionKey: kms.IKey;
  readonly service: ecs.FargateService;
  readonly publisher: lambda.Function;
  readonly queue: sqs.Queue;
  readonly deadLetterQueue: sqs.Queue;
  readonly logGroup: logs.LogGroup;
}

const QUERIES = {
  'errors': 'levelname = "ERROR"',
  'slow starts': '@message like /submitting/',
  'a run by id': '@message like /id/',
  'crashed tasks': '@message like /crash/',
};

/** The alarms, the dashboard, the events and the saved queries of the smallest app, written with L2 constructs directly. */
export function observe(stack: Stack, { encryptionKey, service, publisher, queue, deadLetterQueue, logGroup }: Observed): void {
  const topic = new sns.Topic(stack, 'Topic', { masterKey: encryptionKey, enforceSSL: true });
  encryptionKey.grantEncryptDecrypt(new iam.ServicePrincipal('cloudwatch.amazonaws.com'));
  const demand = (metricName: string, statistic: string = cloudwatch.Stats.MAXIMUM) => new cloudwatch.Metric({
    namespace: 'Plain', metricName, statistic, period: Duration.minutes(1), dimensionsMap: { WorkPool: 'etl', Worker: 'Plain' },
  });
  const insights = (metricName: string) => new cloudwatch.Metric({
    namespace: 'ECS/ContainerInsights', metricName, dimensionsMap: { ClusterName: service.cluster.clusterName, ServiceName: service.serviceName },
  });
  const nat = (metricName: string) => new cloudwatch.Metric({ namespace: 'AWS/NATGateway', metricName, dimensionsMap: { NatGatewayId: 'nat' } });

  const fewer = new cloudwatch.MathExpression({ expression: 'wanted - running', usingMetrics: { wanted: insights('DesiredTaskCount'), running: insights('RunningTaskCount') } });
  const natErrors = new cloudwatch.MathExpression({
    expression: 'SUM(METRICS())', usingMetrics: { nat0: nat('ErrorPortAllocation'), nat1: nat('ErrorPortAllocation') },
  });
  const alarms = Object.entries({
    NoWorkerOnline: demand('OnlineWorkers'),
    LateRuns: demand('LateRuns'),
    OldestLateRun: demand('OldestLateSeconds'),
    CrashedRuns: demand('CrashedRuns', cloudwatch.Stats.SUM),
    PublisherFailing: demand('PublisherErrors', cloudwatch.Stats.SUM),
    PublisherSilent: demand('PublisherErrors', cloudwatch.Stats.SAMPLE_COUNT),
    FewerTasks: fewer,
    Cpu: service.metricCpuUtilization(),
    Memory: service.metricMemoryUtilization(),
    Unread: queue.metricApproximateAgeOfOldestMessage(),
    DeadLetters: deadLetterQueue.metricApproximateNumberOfMessagesVisible(),
    Nat: natErrors,
  }).map(([id, metric]) => {
    const alarm = metric.createAlarm(stack, id, { threshold: 1, evaluationPeriods: 5, datapointsToAlarm: 3, alarmDescription: `${id}: what to do first` });
    alarm.addAlarmAction(new actions.SnsAction(topic));
    return alarm;
  });
  new cloudwatch.CompositeAlarm(stack, 'Unhealthy', { alarmRule: cloudwatch.AlarmRule.anyOf(...alarms.slice(0, 4)) })
    .addAlarmAction(new actions.SnsAction(topic));

  const loggedErrors = new logs.MetricFilter(stack, 'Errors', {
    logGroup, filterPattern: logs.FilterPattern.stringValue('$.levelname', '=', 'ERROR'), metricNamespace: 'Plain', metricName: 'LoggedErrors',
  }).metric();
  for (const [queryDefinitionName, filter] of Object.entries(QUERIES)) {
    new logs.QueryDefinition(stack, queryDefinitionName, {
      queryDefinitionName, logGroups: [logGroup], queryString: new logs.QueryString({ fields: ['@timestamp', '@message'], filterStatements: [filter] }),
    });
  }
  for (const [id, eventPattern] of Object.entries<events.EventPattern>({
    DeploymentFailed: { source: ['aws.ecs'], detailType: ['ECS Deployment State Change'], resources: [service.serviceArn] },
    TaskFailed: { source: ['aws.ecs'], detailType: ['ECS Task State Change'], detail: { clusterArn: [service.cluster.clusterArn], lastStatus: ['STOPPED'] } },
  })) {
    const message = events.RuleTargetInput.fromText(`${id}: ${events.EventField.fromPath('$.detail.reason')}, ${events.EventField.fromPath('$.time')}`);
    new events.Rule(stack, id, { eventPattern, targets: [new targets.SnsTopic(topic, { message })] });
  }

  const graph = (title: string, ...left: cloudwatch.IMetric[]) => new cloudwatch.GraphWidget({ title, left, leftYAxis: { min: 0 } });
  const dashboard = new cloudwatch.Dashboard(stack, 'Dashboard', { defaultInterval: Duration.hours(3) });
  dashboard.addWidgets(new cloudwatch.TextWidget({ markdown: '# Plain', width: 24 }), new cloudwatch.AlarmStatusWidget({ alarms }));
  dashboard.addWidgets(
    graph('Workers', demand('OnlineWorkers'), insights('RunningTaskCount'), insights('DesiredTaskCount'), insights('DeploymentCount')),
    graph('CPU and memory', service.metricCpuUtilization(), service.metricMemoryUtilization()),
    graph('Flow runs by state', demand('RunningRuns'), demand('PendingRuns'), demand('DueRuns')),
    graph('Late flow runs', demand('LateRuns'), demand('BlockedRuns'), demand('OldestLateSeconds')),
    graph('Crashed flow runs', demand('CrashedRuns', cloudwatch.Stats.SUM)),
    graph('Task events', queue.metricApproximateNumberOfMessagesVisible(), queue.metricApproximateAgeOfOldestMessage(), deadLetterQueue.metricApproximateNumberOfMessagesVisible()),
    graph('Demand and workers', demand('Demand'), demand('OnlineWorkers')),
    graph('Publisher', publisher.metricInvocations(), publisher.metricErrors(), demand('PublisherErrors')),
    graph('Fargate', insights('CpuReserved'), insights('MemoryReserved')),
    graph('Bytes', nat('BytesOutToDestination'), nat('BytesInFromDestination'), nat('BytesOutToDestination'), nat('BytesInFromDestination')),
    graph('Errors', loggedErrors),
    ...Object.entries(QUERIES).slice(0, 2).map(([title, filter]) => new cloudwatch.LogQueryWidget({
      title, logGroupNames: [logGroup.logGroupName], queryLines: ['fields @timestamp, @message', `filter ${filter}`],
    })),
  );
}
