/** Options of the network that is made for a worker. */
export interface NetworkOptions {
  /**
   * How many availability zones the VPC spans. Throws for a number that is known only at deployment.
   *
   * @default 2
   */
  readonly maxAzs?: number;

  /**
   * How many NAT gateways the VPC has. One in each zone keeps a zone's failure to that zone; fewer cost less.
   * With 0 there is no way to the internet: the API and the images have to be reachable in your network.
   * Throws for a number that is known only at deployment.
   *
   * @see https://docs.aws.amazon.com/vpc/latest/userguide/vpc-nat-gateway.html
   * @default - one in each availability zone
   */
  readonly natGateways?: number;

  /**
   * Whether the VPC gets endpoints for the AWS services that the tasks use: S3 (gateway), ECR, CloudWatch Logs,
   * Secrets Manager, SSM where a secret is a parameter of it, for ECS workers ECS and SQS, X-Ray with tracing, and ECS and
   * CloudWatch where the server is in your network (`privateNetwork`). They keep this traffic off the NAT gateways. An interface
   * endpoint costs by the hour in each zone.
   *
   * Their policies let only identities of this account through, so that nothing leaves with the keys of another one; S3 lets
   * everyone read. In a VPC of yours this holds for all that is in it. Where flows call these services with a role of another
   * account, switch the endpoints off.
   *
   * Where several workers ask for them in one VPC of yours, the first makes them, and a further one adds what is missing.
   * Throws where no route table of the VPC is known, as after `Vpc.fromVpcAttributes()` without `privateSubnetRouteTableIds`.
   *
   * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/vpc-endpoints.html
   * @default - true in a VPC that is made for the worker, false in yours
   */
  readonly vpcEndpoints?: boolean;

  /**
   * Whether accepted and rejected connections are logged to CloudWatch Logs.
   *
   * @see https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs.html
   * @default true
   */
  readonly flowLogs?: boolean;

  /**
   * IPv4 range of the VPC, such as `10.20.0.0/16`. Choose one of your plan where the VPC will be peered: from `/16` to `/26` with
   * two zones. In one from `/21` on, the public subnets are small, and flow runs have almost all of it.
   * Throws for a range that is known only at deployment.
   *
   * @default '10.0.0.0/16'
   */
  readonly cidr?: string;
}
