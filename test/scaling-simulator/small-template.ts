import { Template } from '../../bench/scaling/template/intrinsics';

export interface SmallTemplate {
  readonly min?: number;
  readonly max?: number;
  readonly leadTimeSeconds?: number;
  readonly pollSeconds?: number;
  readonly scaleInMinutes?: number;
  readonly command?: readonly string[];
  readonly spotWeight?: number;
  readonly supervised?: boolean;
  readonly cpu?: string;
  readonly scheduledActions?: readonly object[];
}

const ref = (id: string) => ({ Ref: id });
const attribute = (id: string, name: string) => ({ 'Fn::GetAtt': [id, name] });

/** A template with just what the simulator reads, in the shapes in which the CDK writes it. */
export function smallTemplate(options: SmallTemplate = {}): Template {
  const { min = 0, max = 10, pollSeconds = 60, command = ['prefect', 'worker', 'start', '--pool', 'etl', '--type', 'process', '--limit', '7'] } = options;
  return {
    Resources: {
      Cluster: { Type: 'AWS::ECS::Cluster' },
      Role: { Type: 'AWS::IAM::Role' },
      ...(options.supervised === false ? {} : {
        RolePolicy: {
          Type: 'AWS::IAM::Policy',
          Properties: { Roles: [ref('Role')], PolicyDocument: { Statement: [{ Effect: 'Allow', Action: 'ecs:UpdateTaskProtection', Resource: 'arn' }] } },
        },
      }),
      Task: { Type: 'AWS::ECS::TaskDefinition', Properties: { Cpu: options.cpu, TaskRoleArn: attribute('Role', 'Arn'), ContainerDefinitions: [{ Name: 'worker', Command: command }] } },
      Service: {
        Type: 'AWS::ECS::Service',
        Properties: {
          DesiredCount: min,
          TaskDefinition: ref('Task'),
          ...(options.spotWeight === undefined ? {} : {
            CapacityProviderStrategy: [{ CapacityProvider: 'FARGATE', Base: 1, Weight: 1 }, { CapacityProvider: 'FARGATE_SPOT', Weight: options.spotWeight }],
          }),
        },
      },
      Target: {
        Type: 'AWS::ApplicationAutoScaling::ScalableTarget',
        Properties: {
          MinCapacity: min,
          MaxCapacity: max,
          ResourceId: { 'Fn::Join': ['', ['service/', ref('Cluster'), '/', attribute('Service', 'Name')]] },
          ScheduledActions: options.scheduledActions,
        },
      },
      PublisherRole: { Type: 'AWS::IAM::Role' },
      PublisherPolicy: {
        Type: 'AWS::IAM::Policy',
        Properties: {
          Roles: [ref('PublisherRole')],
          PolicyDocument: { Statement: [{ Effect: 'Allow', Action: ['ecs:DescribeServices', 'ecs:UpdateService'], Resource: ref('Service') }] },
        },
      },
      Publisher: { Type: 'AWS::Lambda::Function', Properties: { Role: attribute('PublisherRole', 'Arn') } },
      Rule: {
        Type: 'AWS::Events::Rule',
        Properties: {
          ScheduleExpression: 'rate(1 minute)',
          Targets: [{
            Arn: attribute('Publisher', 'Arn'),
            Id: 'Target0',
            Input: {
              'Fn::Join': ['', [
                '{"workPool":"etl","worker":"StackWorker","flowRunLimit":7,',
                `"leadTimeSeconds":${options.leadTimeSeconds ?? 240},"pollSeconds":${pollSeconds},"scaleInMinutes":${options.scaleInMinutes ?? 2},"cluster":"`, attribute('Cluster', 'Arn'),
                '","service":"', attribute('Service', 'Name'), '"}',
              ]],
            },
          }],
        },
      },
    },
  };
}
