/** Options of the network that is created for a worker. */
export interface NetworkOptions {
  /**
   * How many availability zones the VPC spans. Throws for a number that is known only at deployment.
   *
   * @default 2
   */
  readonly maxAzs?: number;

  /**
   * How many NAT gateways the VPC has. One in each zone keeps a zone's failure to that zone; fewer cost less.
   * With 0 there is no route to the internet: the API and the images have to be reachable inside your network.
   * Throws for a number that is known only at deployment.
   *
   * @see https://docs.aws.amazon.com/vpc/latest/userguide/vpc-nat-gateway.html
   * @default - one in each availability zone
   */
  readonly natGateways?: number;

  /**
   * Whether the VPC gets endpoints for the AWS services that the tasks use: S3 (gateway), ECR, CloudWatch Logs,
   * Secrets Manager, SSM where a secret is a parameter of it, for ECS workers ECS and SQS, X-Ray with tracing, and ECS and
   * CloudWatch where functions run in the VPC (`privateNetwork`, `functionsInVpc`), Lambda too with `functionsInVpc`. They keep
   * this traffic off the NAT gateways. An interface endpoint costs by the hour in each zone. They admit the whole VPC, with its
   * secondary ranges; all private ranges where an import doesn't tell in which its subnets are.
   *
   * Their policies admit only identities of this account, so that nobody can send data out with another account's keys; S3 lets
   * everyone read. In your own VPC this applies to everything in it. Where flows call these services with a role of another
   * account, switch the endpoints off.
   *
   * Where several workers ask for them in your own VPC, the first creates them, and each further one adds what is missing.
   * Throws where no route table of the VPC is known, as after `Vpc.fromVpcAttributes()` without `privateSubnetRouteTableIds`.
   *
   * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/vpc-endpoints.html
   * @default - true in a VPC that is created for the worker, false in your own
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
   * IPv4 range of the VPC, such as `10.20.0.0/16`. Choose one from your address plan if the VPC will be peered: from `/16` to `/26` with
   * two zones. In one from `/21` on, the public subnets are small, and flow runs have almost all of it.
   * Throws for a range that is known only at deployment.
   *
   * @default '10.0.0.0/16'
   */
  readonly cidr?: string;

  /**
   * Whether every function of the worker runs in the VPC, in the worker's subnets: those that ask the Prefect API, and the CDK's own
   * that call them at a deployment. For accounts whose policies forbid functions outside a VPC. Where `privateNetwork` is set, those
   * that ask the Prefect API are in the VPC anyway.
   *
   * The functions then need a route to AWS Lambda, Secrets Manager, Amazon ECS and CloudWatch, and to Amazon S3, where the answers of
   * custom resources go: NAT gateways, or `vpcEndpoints`. The default security group of a VPC that is created here keeps
   * its rules, because only a function outside the VPC would remove them; the worker doesn't use it.
   * Throws with public subnets, where functions have no address.
   *
   * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
   * @default false
   */
  readonly functionsInVpc?: boolean;
}
