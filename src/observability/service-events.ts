import { aws_ecs as ecs, aws_events as events, aws_sns as sns } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { AlarmOptions } from './alarm-options';
import { isEnabled, settingsOf } from './alarm-settings';
import { AlarmTopics } from './alarm-topics';
import { runbook } from './runbook';

const { fromPath: event } = events.EventField;

export interface ServiceEventsProps {
  readonly service: ecs.FargateService;
  readonly options: AlarmOptions;
  readonly topics: AlarmTopics;
}

/** Publishes the deployments and tasks that failed, with the reason that ECS gives. */
export class ServiceEvents extends Construct {
  constructor(scope: Construct, id: string, private readonly props: ServiceEventsProps) {
    super(scope, id);
    const worker = scope.node.scope!.node.path;
    const { service } = props;

    this.rule('DeploymentFailed', {
      description: `Failed deployments of the Prefect worker ${worker}`,
      eventPattern: {
        source: ['aws.ecs'],
        detailType: ['ECS Deployment State Change'],
        resources: [service.serviceArn],
        detail: { eventName: ['SERVICE_DEPLOYMENT_FAILED'] },
      },
    }, [
      `DeploymentFailed: a deployment of the Prefect worker ${worker} failed.`,
      `Reason: ${event('$.detail.reason')}`,
      `Deployment ${event('$.detail.deploymentId')} at ${event('$.detail.updatedAt')}.`,
      'ECS rolls back to the last version that worked; its tasks keep running flow runs.',
      `First step: read why its tasks stopped, in the service's events. ${runbook('DeploymentFailed')}`,
    ]);

    this.rule('TaskFailed', {
      description: `Tasks of the Prefect worker ${worker} that stopped for an error`,
      eventPattern: {
        source: ['aws.ecs'],
        detailType: ['ECS Task State Change'],
        detail: {
          clusterArn: [service.cluster.clusterArn],
          group: [`service:${service.serviceName}`],
          lastStatus: ['STOPPED'],
          // Scale-in, deployments and Spot interruptions stop tasks too, and are no errors.
          $or: [
            { stopCode: ['EssentialContainerExited', 'TaskFailedToStart'] },
            { stoppedReason: events.Match.prefix('Task failed container health checks') },
          ],
        },
      },
    }, [
      `TaskFailed: a task of the Prefect worker ${worker} stopped for an error.`,
      `Reason: ${event('$.detail.stoppedReason')} (${event('$.detail.stopCode')})`,
      `Task ${event('$.detail.taskArn')} at ${event('$.detail.stoppedAt')}.`,
      'ECS starts another one; flow runs that were in it start again.',
      `First step: read the last lines of the task's log stream. ${runbook('TaskFailed')}`,
    ]);
  }

  private rule(name: 'DeploymentFailed' | 'TaskFailed', rule: events.RuleProps, lines: string[]): void {
    const { options, topics } = this.props;
    if (!isEnabled(options, name)) return;
    const topic = settingsOf(options, name).topic ?? topics.inform;
    topics.letPublish(topic, 'events');
    new events.Rule(this, name, { ...rule, targets: [notification(topic, lines)] });
  }
}

/** The L2 target, targets.SnsTopic, lets EventBridge use the topic's key for any account; what is needed is in alarm-topics.ts. */
function notification(topic: sns.ITopic, lines: string[]): events.IRuleTarget {
  return { bind: () => ({ arn: topic.topicArn, input: events.RuleTargetInput.fromMultilineText(lines.join('\n')), targetResource: topic }) };
}
