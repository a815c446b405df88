import { CfnResource, Stack } from 'aws-cdk-lib';

/** What holds other resources together and would only clutter a picture. */
const GLUE = [
  'AWS::EC2::Route', 'AWS::EC2::RouteTable', 'AWS::EC2::SubnetRouteTableAssociation', 'AWS::EC2::EIP', 'AWS::EC2::VPCGatewayAttachment',
  'AWS::IAM::Policy', 'AWS::SQS::QueuePolicy', 'AWS::SNS::TopicPolicy', 'AWS::Lambda::Permission', 'AWS::Lambda::EventInvokeConfig', 'AWS::ECS::ClusterCapacityProviderAssociations',
  'Custom::VpcRestrictDefaultSG', 'Custom::LogRetention', 'AWS::EC2::SecurityGroupEgress', 'AWS::EC2::SecurityGroupIngress', 'AWS::CloudFormation::CustomResource',
];

/** The resources of a synthesized stack, and which of them a picture has shown. */
export class Inventory {
  private readonly resources: readonly CfnResource[];
  private readonly shown = new Set<CfnResource>();

  constructor(private readonly stack: Stack) {
    this.resources = stack.node.findAll().filter(construct => CfnResource.isCfnResource(construct));
  }

  public get size(): number {
    return this.resources.length;
  }

  /** The resources of these types under this path; they count as shown. */
  public take(types: string | readonly string[], path = ''): CfnResource[] {
    const found = this.resources.filter(resource => [types].flat().includes(resource.cfnResourceType) && resource.node.path.includes(path));
    found.forEach(resource => this.shown.add(resource));
    return found;
  }

  public count(types: string | readonly string[], path = ''): number {
    return this.take(types, path).length;
  }

  /** Types of which the picture has shown nothing. */
  public get missing(): string[] {
    const all = new Set(this.resources.filter(resource => !this.shown.has(resource)).map(({ cfnResourceType }) => cfnResourceType));
    // The functions that the CDK itself brings along, and their roles, belong to no room.
    return [...all].filter(type => !GLUE.includes(type)).filter(type => this.resources.some(resource =>
      resource.cfnResourceType === type && !this.shown.has(resource) && !resource.node.path.startsWith(`${this.stack.node.path}/Custom::`)));
  }

  /** The resolved properties of a resource. */
  public properties(resource: CfnResource): any {
    return Object.values<any>(this.stack.resolve(resource._toCloudFormation()).Resources)[0].Properties;
  }
}
