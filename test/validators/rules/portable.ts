import { eachString, ofType } from '../template';
import type { Remark, Rule } from '../types';

/** Properties that give a resource a name of its own, which then exists once per account and region. */
const NAME_PROPERTIES: Record<string, string> = {
  'AWS::IAM::Role': 'RoleName',
  'AWS::IAM::ManagedPolicy': 'ManagedPolicyName',
  'AWS::Lambda::Function': 'FunctionName',
  'AWS::SQS::Queue': 'QueueName',
  'AWS::SNS::Topic': 'TopicName',
  'AWS::Logs::LogGroup': 'LogGroupName',
  'AWS::ECS::Cluster': 'ClusterName',
  'AWS::ECS::Service': 'ServiceName',
  'AWS::EC2::SecurityGroup': 'GroupName',
  'AWS::CloudWatch::Alarm': 'AlarmName',
  'AWS::CloudWatch::CompositeAlarm': 'AlarmName',
  'AWS::CloudWatch::Dashboard': 'DashboardName',
  'AWS::S3::Bucket': 'BucketName',
  'AWS::DynamoDB::Table': 'TableName',
  'AWS::Events::Rule': 'Name',
  'AWS::SecretsManager::Secret': 'Name',
  'AWS::SSM::Parameter': 'Name',
  'AWS::StepFunctions::StateMachine': 'StateMachineName',
  'AWS::ElasticLoadBalancingV2::LoadBalancer': 'Name',
  'AWS::ElasticLoadBalancingV2::TargetGroup': 'Name',
  'AWS::RDS::DBCluster': 'DBClusterIdentifier',
  'AWS::RDS::DBInstance': 'DBInstanceIdentifier',
};

const PARTITION = /\barn:aws(-[a-z-]+)?:/;
const REGION = /\b(us|eu|ap|sa|ca|me|af|il|mx|cn|us-gov)-(gov-)?(north|south|east|west|central|northeast|northwest|southeast|southwest)-\d[a-z]?\b/;
const ACCOUNT = /(^|[^\w.-])\d{12}($|[^\w.-])/;
const DNS_SUFFIX = /^(?!https?:).*\.amazonaws\.com(\.cn)?\/\d|\.dkr\.ecr\.[a-z0-9-]+\.amazonaws/;

/** The template works in any partition, region and account, and twice in one of them. */
export const portable: Rule = (template, { named }) => {
  const remarks: Remark[] = [];
  for (const [logicalId, { Properties }] of Object.entries(template.Resources)) {
    eachString(Properties, (text, path) => {
      // Where the stack's author fixed the place, the CDK writes it wherever it is needed.
      const rest = [named.env.region, named.env.account].reduce<string>((left, known) => known ? left.split(known).join('') : left, text);
      const fault = PARTITION.exec(rest)?.[0] ?? REGION.exec(rest)?.[0] ?? ACCOUNT.exec(rest)?.[0] ?? DNS_SUFFIX.exec(rest)?.[0];
      if (fault && !path.includes('ZipFile')) {
        remarks.push({ logicalId, message: `Its property ${path.join('.')} fixes the partition, region, zone or account: "${fault}".` });
      }
    });
  }
  for (const [type, property] of Object.entries(NAME_PROPERTIES)) {
    for (const [logicalId, { Properties = {} }] of ofType(template, type)) {
      // A name made of the stack's name or id is unique.
      if (Properties[property] !== undefined && !JSON.stringify(Properties[property]).includes('AWS::Stack')) {
        remarks.push({ logicalId, message: `It has a physical name (${property}), so the stack can't be deployed twice, and the resource can't be replaced.` });
      }
    }
  }
  return remarks;
};
