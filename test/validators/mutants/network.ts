import { callersOf } from '../network-model';
import { ofType, targetOf } from '../template';
import type { Template } from '../types';
import { another, first, forgetDependency, Mutant, NotApplicable, remove } from './mutant';

const serviceGroup = (template: Template) => {
  const [, service] = first(template, 'AWS::ECS::Service');
  const id = targetOf(template, service.Properties.NetworkConfiguration.AwsvpcConfiguration.SecurityGroups[0]);
  if (!id) {
    throw new NotApplicable('The security group is imported.');
  }
  return template.Resources[id].Properties!;
};
const endpoint = (template: Template, name: string) => first(template, 'AWS::EC2::VPCEndpoint', (properties) => JSON.stringify(properties.ServiceName).includes(name));

const natRoute = (template: Template) => first(template, 'AWS::EC2::Route', ({ NatGatewayId }) => NatGatewayId)[1].Properties;

export const networkMutants: Mutant[] = [
  { name: 'private subnet that leaves by the NAT gateway of another zone', caughtBy: 'routes', edit: (template) => { natRoute(template).NatGatewayId = { Ref: another(template, natRoute(template).NatGatewayId.Ref) }; } },
  { name: 'two NAT gateways with one address', caughtBy: 'routes', edit: (template) => { const [id, { Properties }] = first(template, 'AWS::EC2::NatGateway'); Properties.AllocationId = template.Resources[another(template, id)].Properties!.AllocationId; } },
  { name: 'NAT gateway in a subnet without a route to the internet', caughtBy: 'routes', edit: (template) => { first(template, 'AWS::EC2::NatGateway')[1].Properties.SubnetId = { Ref: callersOf(template)[0]?.subnets[0] }; } },
  { name: 'route to the internet before its gateway is attached', caughtBy: 'routes', edit: (template) => forgetDependency(template, [first(template, 'AWS::EC2::VPCGatewayAttachment')[0]]) },
  {
    name: 'private subnet with the routes of a public one',
    caughtBy: 'routes',
    edit: (template) => {
      const association = (kind: RegExp) => first(template, 'AWS::EC2::SubnetRouteTableAssociation', (_, path) => kind.test(path))[1].Properties;
      association(/PrivateSubnet/).RouteTableId = association(/PublicSubnet/).RouteTableId;
    },
  },
  { name: 'service in subnets of one VPC and a group of another', caughtBy: 'routes', edit: (template) => { template.Resources.MutantVpc = { Type: 'AWS::EC2::VPC', Properties: { CidrBlock: '10.99.0.0/16' } }; serviceGroup(template).VpcId = { Ref: 'MutantVpc' }; } },
  { name: 'endpoint that is missing in a zone', caughtBy: 'routes', edit: (template) => endpoint(template, 'secretsmanager')[1].Properties.SubnetIds.pop() },
  { name: 'gateway endpoint that a subnet has no route to', caughtBy: 'routes', edit: (template) => endpoint(template, '.s3')[1].Properties.RouteTableIds.shift() },
  { name: 'endpoints whose names the VPC doesn\'t resolve', caughtBy: 'routes', edit: (template) => { first(template, 'AWS::EC2::VPC')[1].Properties.EnableDnsHostnames = false; endpoint(template, 'secretsmanager'); } },
  { name: 'public address in a private subnet', caughtBy: 'routes', edit: (template) => { first(template, 'AWS::ECS::Service')[1].Properties.NetworkConfiguration.AwsvpcConfiguration.AssignPublicIp = 'ENABLED'; serviceGroup(template); } },
  { name: 'subnets that overlap', caughtBy: 'routes', edit: (template) => { const [id, { Properties }] = first(template, 'AWS::EC2::Subnet'); Properties.CidrBlock = template.Resources[another(template, id)].Properties!.CidrBlock; } },
  {
    name: 'private subnet without default route',
    caughtBy: 'network-path',
    edit: (template) => remove(template, first(template, 'AWS::EC2::Route', ({ NatGatewayId }) => NatGatewayId)[0]),
  },
  {
    name: 'NAT gateway in a private subnet',
    caughtBy: 'network-path',
    edit: (template) => {
      const subnet = callersOf(template)[0]?.subnets[0];
      first(template, 'AWS::EC2::NatGateway')[1].Properties.SubnetId = { Ref: subnet };
    },
  },
  {
    name: 'internet gateway not attached',
    caughtBy: 'network-path',
    edit: (template) => remove(template, first(template, 'AWS::EC2::VPCGatewayAttachment')[0]),
  },
  {
    name: 'endpoint group that refuses the task',
    caughtBy: 'network-path',
    edit: (template) => {
      const [, { Properties }] = endpoint(template, 'secretsmanager');
      const group = targetOf(template, Properties.SecurityGroupIds[0])!;
      template.Resources[group].Properties!.SecurityGroupIngress = [];
      ofType(template, 'AWS::EC2::SecurityGroupIngress').filter(([, rule]) => targetOf(template, rule.Properties?.GroupId) === group).forEach(([id]) => remove(template, id));
    },
  },
  {
    name: 'endpoint group that admits the wrong port',
    caughtBy: 'network-path',
    edit: (template) => {
      const [, { Properties }] = endpoint(template, 'sqs');
      const group = targetOf(template, Properties.SecurityGroupIds[0])!;
      const rules = [...template.Resources[group].Properties!.SecurityGroupIngress ?? [],
        ...ofType(template, 'AWS::EC2::SecurityGroupIngress').filter(([, rule]) => targetOf(template, rule.Properties?.GroupId) === group).map(([, rule]) => rule.Properties)];
      rules.forEach((rule) => Object.assign(rule, { FromPort: 80, ToPort: 80 }));
    },
  },
  {
    name: 'endpoint without a policy',
    caughtBy: 'network-path',
    edit: (template) => delete endpoint(template, 'logs')[1].Properties.PolicyDocument,
  },
  {
    name: 'task without egress to 443',
    caughtBy: 'network-path',
    edit: (template) => serviceGroup(template).SecurityGroupEgress = [{ IpProtocol: 'tcp', FromPort: 80, ToPort: 80, CidrIp: '0.0.0.0/0' }],
  },
  {
    name: 'no endpoint for the logs and no NAT gateway',
    caughtBy: 'network-path',
    edit: (template) => {
      remove(template, endpoint(template, 'logs')[0]);
      ofType(template, 'AWS::EC2::Route').filter(([, { Properties = {} }]) => Properties.NatGatewayId).forEach(([id]) => remove(template, id));
    },
  },
  {
    name: 'no endpoint for the traces and no NAT gateway',
    caughtBy: 'network-path',
    edit: (template) => {
      remove(template, endpoint(template, 'xray')[0]);
      ofType(template, 'AWS::EC2::Route').filter(([, { Properties = {} }]) => Properties.NatGatewayId).forEach(([id]) => remove(template, id));
    },
  },
  {
    name: 'no endpoint for the metrics and no NAT gateway',
    caughtBy: 'network-path',
    edit: (template) => {
      remove(template, endpoint(template, '.monitoring')[0]);
      first(template, 'AWS::EC2::Route', ({ NatGatewayId }) => NatGatewayId);
      ofType(template, 'AWS::EC2::Route').filter(([, { Properties = {} }]) => Properties.NatGatewayId).forEach(([id]) => remove(template, id));
    },
  },
  {
    name: 'network ACL that refuses the answers',
    caughtBy: 'network-path',
    edit: (template) => {
      const subnet = callersOf(template)[0].subnets[0];
      template.Resources.Acl = { Type: 'AWS::EC2::NetworkAcl', Properties: { VpcId: template.Resources[subnet].Properties!.VpcId } };
      template.Resources.AclOut = { Type: 'AWS::EC2::NetworkAclEntry', Properties: { NetworkAclId: { Ref: 'Acl' }, Egress: true, RuleNumber: 100, Protocol: -1, RuleAction: 'allow', CidrBlock: '0.0.0.0/0' } };
      template.Resources.AclUse = { Type: 'AWS::EC2::SubnetNetworkAclAssociation', Properties: { NetworkAclId: { Ref: 'Acl' }, SubnetId: { Ref: subnet } } };
    },
  },
  {
    name: 'worker that takes connections on 8080',
    caughtBy: 'no-ingress',
    edit: (template) => serviceGroup(template).SecurityGroupIngress = [{ IpProtocol: 'tcp', FromPort: 8080, ToPort: 8080, CidrIp: '0.0.0.0/0' }],
  },
  {
    name: 'worker that may connect to any port',
    caughtBy: 'no-ingress',
    edit: (template) => serviceGroup(template).SecurityGroupEgress = [{ IpProtocol: '-1', CidrIp: '0.0.0.0/0' }],
  },
  {
    name: 'endpoint that admits the world',
    caughtBy: 'no-ingress',
    edit: (template) => {
      const [, { Properties }] = endpoint(template, 'secretsmanager');
      const group = targetOf(template, Properties.SecurityGroupIds[0])!;
      (template.Resources[group].Properties!.SecurityGroupIngress ??= []).push({ IpProtocol: 'tcp', FromPort: 443, ToPort: 443, CidrIp: '0.0.0.0/0' });
    },
  },
  {
    name: 'endpoint service misspelt',
    caughtBy: 'names',
    edit: (template) => endpoint(template, 'secretsmanager')[1].Properties.ServiceName = { 'Fn::Sub': 'com.amazonaws.${AWS::Region}.secretmanager' },
  },
  {
    name: 'service before the default route',
    caughtBy: 'dependencies',
    edit: (template) => {
      first(template, 'AWS::ECS::Service');
      first(template, 'AWS::EC2::Route');
      forgetDependency(template, ofType(template, 'AWS::EC2::Route').map(([id]) => id));
    },
  },
  {
    name: 'fixed availability zone',
    caughtBy: 'portable',
    edit: (template) => first(template, 'AWS::EC2::Subnet')[1].Properties.AvailabilityZone = 'us-east-1a',
  },
  {
    name: 'log retention that CloudWatch does not have',
    caughtBy: 'cloudformation-validate',
    edit: (template) => first(template, 'AWS::Logs::LogGroup')[1].Properties.RetentionInDays = 31,
  },
];
