import {
  aws_certificatemanager as acm, aws_ec2 as ec2, aws_ecs as ecs, aws_elasticloadbalancingv2 as elbv2, aws_iam as iam, aws_route53 as route53,
  aws_route53_targets as targets, aws_s3 as s3, Duration, RemovalPolicy, Stack,
} from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { ServerDomain, ServerSignIn } from './server-access';
import { SERVER_PORT, ServerNetwork } from './server-network';
import { TARGET } from './server-services';

export interface LoadBalancerProps {
  readonly network: ServerNetwork;
  readonly service: ecs.FargateService;
  readonly domain: ServerDomain;
  readonly internetFacing: boolean;
  readonly signIn?: ServerSignIn;
}

/** What programs send, by which a listener knows them from browsers that have not signed in. */
const API = elbv2.ListenerCondition.pathPatterns(['/api', '/api/*']);
const WITH_AUTH_STRING = elbv2.ListenerCondition.httpHeader('Authorization', ['Basic *']);
/** Of the websockets' upgrades only that of events has a header of its own; all authenticate in their first message. */
const EVENTS = elbv2.ListenerCondition.httpHeader('Sec-WebSocket-Protocol', ['prefect']);

/** The load balancer before the API: TLS, the name, access logs, and for people a sign-in. */
export class LoadBalancer extends Construct {
  public readonly loadBalancer: elbv2.ApplicationLoadBalancer;
  public readonly listener: elbv2.ApplicationListener;
  public readonly targetGroup: elbv2.ApplicationTargetGroup;
  public readonly certificate: acm.ICertificate;
  public readonly connections: ec2.Connections;

  constructor(scope: Construct, id: string, props: LoadBalancerProps) {
    super(scope, id);
    const { network, service, domain, internetFacing } = props;
    const securityGroup = new ec2.SecurityGroup(this, 'SecurityGroup', {
      vpc: network.vpc,
      description: `Load balancer of the Prefect server ${scope.node.path}`,
      allowAllOutbound: false,
    });
    this.loadBalancer = new elbv2.ApplicationLoadBalancer(this, 'LoadBalancer', {
      vpc: network.vpc,
      vpcSubnets: internetFacing ? { subnetType: ec2.SubnetType.PUBLIC } : network.subnetSelection,
      internetFacing,
      securityGroup,
      dropInvalidHeaderFields: true,
      desyncMitigationMode: elbv2.DesyncMitigationMode.DEFENSIVE,
    });
    this.logAccess();
    this.certificate = domain.certificate ?? new acm.Certificate(this, 'Certificate', {
      domainName: domain.name, validation: acm.CertificateValidation.fromDns(domain.zone),
    });
    this.targetGroup = new elbv2.ApplicationTargetGroup(this, 'Targets', {
      vpc: network.vpc,
      protocol: elbv2.ApplicationProtocol.HTTP,
      port: SERVER_PORT,
      targetType: elbv2.TargetType.IP,
      // Not /api/ready: without its database every task would be taken out and replaced, which fixes nothing.
      healthCheck: { path: '/api/health', interval: Duration.seconds(15), timeout: Duration.seconds(5), healthyThresholdCount: 2, unhealthyThresholdCount: 4 },
      deregistrationDelay: Duration.seconds(30),
    });
    this.targetGroup.addTarget(service.loadBalancerTarget(TARGET));
    this.listener = this.loadBalancer.addListener('Https', {
      port: 443,
      certificates: [this.certificate],
      sslPolicy: elbv2.SslPolicy.TLS13_RES,
      open: internetFacing,
      defaultAction: this.forward(),
    });
    // A service takes a target group that a listener has.
    service.node.addDependency(this.listener);
    if (props.signIn) this.demandSignIn(props.signIn, securityGroup);

    const target = route53.RecordTarget.fromAlias(new targets.LoadBalancerTarget(this.loadBalancer));
    new route53.ARecord(this, 'Name', { zone: domain.zone, recordName: absolute(domain.name), target });
    this.connections = new ec2.Connections({ securityGroups: [securityGroup], defaultPort: ec2.Port.HTTPS });
  }

  private forward(): elbv2.ListenerAction {
    return elbv2.ListenerAction.forward([this.targetGroup]);
  }

  /** Programs come in by the authentication string; who has neither that nor a session gets a page to sign in, or a 401 from the API. */
  private demandSignIn(signIn: ServerSignIn, securityGroup: ec2.SecurityGroup): void {
    const [redirect, deny] = signIn._actions(this.forward());
    this.listener.addAction('AuthString', { priority: 10, conditions: [API, WITH_AUTH_STRING], action: this.forward() });
    this.listener.addAction('Events', { priority: 20, conditions: [API, EVENTS], action: this.forward() });
    this.listener.addAction('Api', { priority: 30, conditions: [API], action: deny });
    this.listener.addAction('People', { priority: 40, conditions: [elbv2.ListenerCondition.pathPatterns(['*'])], action: redirect });
    // It asks the identity provider who has signed in.
    securityGroup.addEgressRule(ec2.Peer.anyIpv4(), ec2.Port.HTTPS, 'the identity provider');
  }

  /**
   * The L2's own way needs the region at synth, for an account of Elastic Load Balancing that newer regions don't have.
   *
   * @see https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
   */
  private logAccess(): void {
    const bucket = new s3.Bucket(this, 'AccessLogs', {
      // The only encryption that load balancers write with.
      encryption: s3.BucketEncryption.S3_MANAGED,
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      versioned: true,
      lifecycleRules: [{
        expiration: Duration.days(90),
        noncurrentVersionExpiration: Duration.days(1),
        abortIncompleteMultipartUploadAfter: Duration.days(7),
      }],
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const { partition, region, account } = Stack.of(this);
    bucket.addToResourcePolicy(new iam.PolicyStatement({
      sid: 'AccessLogs',
      principals: [new iam.ServicePrincipal('logdelivery.elasticloadbalancing.amazonaws.com')],
      actions: ['s3:PutObject'],
      resources: [bucket.arnForObjects(`AWSLogs/${account}/*`)],
      conditions: { ArnLike: { 'aws:SourceArn': `arn:${partition}:elasticloadbalancing:${region}:${account}:loadbalancer/*` } },
    }));
    this.loadBalancer.setAttribute('access_logs.s3.enabled', 'true');
    this.loadBalancer.setAttribute('access_logs.s3.bucket', bucket.bucketName);
    // It tries to write when it is told to.
    this.loadBalancer.node.addDependency(bucket.policy!);
  }
}

/** A name that ends in a dot is whole; others get the zone's behind them, where it isn't known to be there. */
function absolute(name: string): string {
  return name.endsWith('.') ? name : `${name}.`;
}
