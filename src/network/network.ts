import { aws_ec2 as ec2, aws_kms as kms, aws_lambda as lambda, aws_logs as logs, custom_resources as cr, Annotations, Stack } from 'aws-cdk-lib';
import { Construct, DependencyGroup, IConstruct, IDependable } from 'constructs';
import { PrefectApi } from '../prefect-api';
import { fingerprint } from '../private/fingerprint';
import { shared } from '../private/shared';
import { isLoopback, portOf } from '../private/url';
import { invalid, isResolved, requireWholeNumber } from '../private/validation';
import { Tracing } from '../tracing';
import { WorkerType } from '../worker-type';
import { addEndpoints } from './endpoints';
import { NetworkOptions } from './network-options';
import { createVpc } from './vpc';

export interface NetworkProps {
  readonly api: PrefectApi;
  readonly workerType: WorkerType;
  readonly encryptionKey: kms.IKey;
  readonly logRetention: logs.RetentionDays;
  readonly options: NetworkOptions;
  /** Where tasks send traces. */
  readonly tracing?: Tracing;
  /** Whether secrets are SSM parameters. */
  readonly parameters: boolean;
  readonly enableExecuteCommand?: boolean;
  /** Whether the number of workers follows demand. */
  readonly followsDemand: boolean;
  readonly vpc?: ec2.IVpc;
  readonly vpcSubnets?: ec2.SubnetSelection;
  readonly securityGroups?: ec2.ISecurityGroup[];
}

/** By it networks find each other in the tree, also those of another loaded copy of this library, of which `instanceof` knows nothing. */
const NETWORK = Symbol.for('cdk-prefect-fargate-worker.network');

/** On a VPC of the user's: the network that makes its endpoints, of which a VPC has only one for each private DNS name. */
const ENDPOINT_OWNER = Symbol.for('cdk-prefect-fargate-worker.endpointOwner');

function isNetwork(construct?: IConstruct): construct is Network {
  return construct !== undefined && NETWORK in construct;
}

/** Where tasks run and how they get out: the VPC, its endpoints, the subnets and the security groups. */
export class Network extends Construct {
  public readonly vpc: ec2.IVpc;
  public readonly subnets: ec2.SelectedSubnets;
  /** The subnets one by one, because the VPC of a cluster may be an import that doesn't know them. */
  public readonly subnetSelection: ec2.SubnetSelection;
  /** Whether the VPC was created here. */
  public readonly createsVpc: boolean;
  /** Tasks in public subnets reach the internet only by an address of their own. */
  public readonly assignPublicIp: boolean;
  /** Whether some of the subnets have no route to the internet. */
  public readonly isolated: boolean;
  /** All that has to be there before a task reaches what it calls. */
  public readonly connectivity: IDependable;
  public readonly workerSecurityGroups: ec2.ISecurityGroup[];
  public readonly flowRunSecurityGroup: ec2.ISecurityGroup;
  /** Whether the functions that ask the Prefect API run in the VPC. */
  public readonly functionsInVpc: boolean;
  /** The groups of all functions in the VPC; empty where they run outside it. */
  public readonly functionSecurityGroups: ec2.ISecurityGroup[];
  private readonly selected: ec2.SubnetSelection;

  constructor(scope: Construct, id: string, private readonly props: NetworkProps) {
    super(scope, id);
    Object.defineProperty(this, NETWORK, { value: true });
    this.validateOptions();

    this.createsVpc = props.vpc === undefined;
    this.functionsInVpc = props.api._inNetwork || (props.options.functionsInVpc ?? false);
    this.vpc = props.vpc ?? createVpc(this, {
      ...props.options,
      encryptionKey: props.encryptionKey,
      logRetention: props.logRetention,
      restrictDefaultSecurityGroup: this.restrictsDefaultSecurityGroup,
    });
    this.selected = this.selection();
    this.subnets = this.vpc.selectSubnets(this.selected);
    this.subnetSelection = { subnets: this.subnets.subnets };
    this.assignPublicIp = props.vpcSubnets !== undefined && this.subnets.hasPublic;
    if (this.assignPublicIp && props.options.functionsInVpc) {
      throw invalid('network.functionsInVpc', true, 'functions get no public address, so they can\'t reach the internet from the public subnets of vpcSubnets; '
        + 'give private subnets, or leave functionsInVpc out.');
    }
    const isolated = this.isolatedSubnets();
    this.isolated = isolated.length > 0;
    this.warnOfNoInternetRoute(isolated);
    const connectivity = new DependencyGroup(this.subnets.internetConnectivityEstablished);
    const endpoints = this.endpoints();
    endpoints.forEach(endpoint => connectivity.add(endpoint));
    this.warnOfFunctionsInPublicSubnets(endpoints.length > 0);
    this.connectivity = connectivity;
    props.api._server?.answering.forEach(server => connectivity.add(server));

    this.workerSecurityGroups = props.securityGroups ?? [this.securityGroup('WorkerSecurityGroup', 'Prefect worker', props.tracing?._otlp?.endpoint)];
    this.flowRunSecurityGroup = props.securityGroups?.[0] ?? (props.workerType === WorkerType.PROCESS
      ? this.workerSecurityGroups[0]
      : this.securityGroup('FlowRunSecurityGroup', 'Prefect flow runs', props.tracing?._otlp?.endpoint));
    this.functionSecurityGroups = !this.functionsInVpc ? [] : props.securityGroups ?? [this.functionSecurityGroup()];
    this.letIntoServer();
  }

  /** The NAT gateways of the VPC, where it was created here. */
  public get natGatewayIds(): string[] {
    if (!this.createsVpc) return [];
    return this.vpc.node.findAll().filter((child): child is ec2.CfnNatGateway => child instanceof ec2.CfnNatGateway).map(({ ref }) => ref);
  }

  /**
   * Has what takes minutes to create wait for a resource that says first whether the deployment can succeed. What others own, as
   * the endpoints of a worker whose VPC this one shares, doesn't wait.
   */
  public startAfter(check: IDependable): void {
    const slow = this.node.findAll().filter(child => child instanceof ec2.CfnNatGateway || child instanceof ec2.InterfaceVpcEndpoint);
    slow.forEach(child => child.node.addDependency(check));
  }

  /** Rules of both sides are in the worker's stack, which depends on the server's. */
  private letIntoServer(): void {
    const { _server: server } = this.props.api;
    if (server) new ec2.Connections({ securityGroups: this.apiClients }).allowTo(server.connections, ec2.Port.tcp(server.port), 'the Prefect API');
  }

  /** The groups of all that calls the Prefect API. */
  public get apiClients(): ec2.ISecurityGroup[] {
    return [...new Set([...this.workerSecurityGroups, this.flowRunSecurityGroup, ...this.functionSecurityGroups])];
  }

  /** Whether the default group of the VPC has no rules. The CDK takes them away, by a function of its own that is outside any VPC. */
  public get restrictsDefaultSecurityGroup(): boolean {
    return this.createsVpc && !this.props.options.functionsInVpc;
  }

  /** Where the functions are that ask the Prefect API, for those who share them: as values that tell one place from another. */
  public get functionPlace(): unknown {
    const { securityGroups = [] } = this.props;
    return this.functionsInVpc && [this.vpc.vpcId, this.subnets.subnetIds, securityGroups.map(({ securityGroupId }) => securityGroupId)];
  }

  /** What all functions in the VPC have in common; nothing where they run outside it. */
  public get functionOptions(): Pick<lambda.FunctionOptions, 'vpc' | 'vpcSubnets' | 'securityGroups' | 'allowPublicSubnet'> {
    return !this.functionsInVpc ? {} : {
      vpc: this.vpc,
      vpcSubnets: this.subnetSelection,
      securityGroups: this.functionSecurityGroups,
      allowPublicSubnet: this.assignPublicIp,
    };
  }

  /** The same for the CDK's functions that call ours at a deployment; they are outside unless told otherwise. */
  public get providerOptions(): Pick<cr.ProviderProps, 'vpc' | 'vpcSubnets' | 'securityGroups'> {
    const { vpc, vpcSubnets, securityGroups } = this.functionOptions;
    return this.props.options.functionsInVpc ? { vpc, vpcSubnets, securityGroups } : {};
  }

  /** A security group without ingress, and with egress only to HTTPS, the API's port, that of a receiver of traces, and DNS. */
  private securityGroup(id: string, whose: string, tracesEndpoint?: string): ec2.SecurityGroup {
    return this.letOut(makeGroup(this, id, this.vpc, `${whose} of ${this.node.scope!.node.path}`), tracesEndpoint);
  }

  /** The one of the stack's functions in the VPC, with a way to the APIs of all its workers. */
  private functionSecurityGroup(): ec2.SecurityGroup {
    const id = `FunctionSecurityGroup${fingerprint(this, this.vpc.vpcId)}`;
    return this.letOut(shared(this, id, scope => makeGroup(scope, id, this.vpc, 'Functions for Prefect workers')));
  }

  private letOut(group: ec2.SecurityGroup, tracesEndpoint?: string): ec2.SecurityGroup {
    const allow = (port: ec2.Port, what: string) => group.addEgressRule(ec2.Peer.anyIpv4(), port, what);
    allow(ec2.Port.tcp(443), 'HTTPS: AWS and the Prefect API');
    for (const port of new Set(this.props.api._ports)) {
      if (port !== 443) allow(ec2.Port.tcp(port), 'the Prefect API');
    }
    if (tracesEndpoint !== undefined && !isLoopback(tracesEndpoint)) {
      const port = portOf(tracesEndpoint);
      if (port !== 443) allow(ec2.Port.tcp(port), 'the receiver of traces');
    }
    // Security groups don't filter Amazon's resolver, but they do filter the servers that a VPC of the user's may name in its DHCP options.
    if (!this.owner) {
      allow(ec2.Port.udp(53), 'DNS');
      allow(ec2.Port.tcp(53), 'DNS');
    }
    return group;
  }

  private validateOptions(): void {
    const { options, vpc, securityGroups } = this.props;
    requireWholeNumber('network.maxAzs', options.maxAzs, 1);
    requireWholeNumber('network.natGateways', options.natGateways, 0);
    for (const prop of ['maxAzs', 'natGateways', 'cidr', 'flowLogs'] as const) {
      if (vpc && options[prop] !== undefined) {
        throw invalid(`network.${prop}`, options[prop], 'it applies only to a VPC that is created for the worker; remove it, or remove vpc (or cluster).');
      }
    }
    for (const prop of ['maxAzs', 'natGateways', 'cidr'] as const) {
      if (options[prop] !== undefined && !isResolved(options[prop])) {
        throw invalid(`network.${prop}`, options[prop], 'the subnets in the template depend on it; give the value itself.');
      }
    }
    if (!vpc && this.props.vpcSubnets) {
      throw invalid('vpcSubnets', this.props.vpcSubnets, 'it selects from your own VPC; give vpc (or cluster) too.');
    }
    if (securityGroups?.length === 0) {
      throw invalid('securityGroups', securityGroups, 'give at least one, or leave the prop out to have one created.');
    }
  }

  private selection(): ec2.SubnetSelection {
    const { vpc, vpcSubnets } = this.props;
    if (vpcSubnets) return vpcSubnets;
    if (this.vpc.privateSubnets.length > 0) return { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS };
    if (this.vpc.isolatedSubnets.length > 0) return { subnetType: ec2.SubnetType.PRIVATE_ISOLATED };
    throw invalid('vpc', vpc!.node.path, 'it has no private subnets; give a VPC with private subnets, or say with vpcSubnets which ones to use.');
  }

  private isolatedSubnets(): ec2.ISubnet[] {
    if (this.subnets.isPendingLookup) return [];
    const isolated = new Set(this.vpc.isolatedSubnets.map(subnet => subnet.node.path));
    return this.subnets.subnets.filter(subnet => isolated.has(subnet.node.path));
  }

  private warnOfNoInternetRoute(isolated: ec2.ISubnet[]): void {
    const { url, _inNetwork: inNetwork } = this.props.api;
    if (isolated.length === 0 || inNetwork) return;
    Annotations.of(this.node.scope!).addWarningV2('cdk-prefect-fargate-worker:noInternetRoute',
      `The subnets ${isolated.map(subnet => subnet.node.id).join(', ')} have no route to the internet, so tasks there can't reach the Prefect API `
      + `at ${isResolved(url) ? url : 'its URL'}. Use subnets with a NAT gateway (network.natGateways or vpcSubnets), `
      + 'or set privateNetwork on PrefectApi.selfHosted() where the API is inside your network.');
  }

  /** Lambda gives functions no public address, so they can't reach the internet from a public subnet. */
  private warnOfFunctionsInPublicSubnets(endpoints: boolean): void {
    if (!this.assignPublicIp || !this.functionsInVpc || endpoints) return;
    Annotations.of(this.node.scope!).addWarningV2('cdk-prefect-fargate-worker:functionsInPublicSubnets',
      'With privateNetwork or proxyUrl, the functions that ask the Prefect API run in the subnets of vpcSubnets. From public ones they can\'t reach Secrets Manager, '
      + 'Amazon ECS and CloudWatch. Give private subnets, or set network.vpcEndpoints, unless the VPC has these endpoints already.');
  }

  private endpoints(): IDependable[] {
    const { workerType, options, tracing, parameters, enableExecuteCommand = false, followsDemand } = this.props;
    const { owner } = this;
    const wanted = owner ? (owner.props.options.vpcEndpoints ?? true) && (options.vpcEndpoints ?? true) : options.vpcEndpoints;
    if (!wanted) return [];
    const scope = owner ?? this.endpointOwner();
    return addEndpoints(scope, {
      vpc: scope.vpc,
      subnets: scope.selected,
      users: this.subnets.subnets,
      oneRange: owner !== undefined,
      workerType,
      xray: tracing !== undefined && !tracing._otlp,
      parameters,
      enableExecuteCommand,
      followsDemand,
      functions: options.functionsInVpc ? 'all' : this.functionsInVpc ? 'ours' : 'none',
    });
  }

  /** The network, of this worker or another one, that the VPC was created by; a second worker in it adds only what is missing there. */
  private get owner(): Network | undefined {
    const { scope } = this.vpc.node;
    return isNetwork(scope) ? scope : undefined;
  }

  /** The first network that was told to make endpoints in this VPC. */
  private endpointOwner(): Network {
    const { privateSubnets, isolatedSubnets, publicSubnets, vpcId } = this.vpc;
    if (![...privateSubnets, ...isolatedSubnets, ...publicSubnets].some(subnet => subnet.routeTable?.routeTableId)) {
      throw invalid('network.vpcEndpoints', true, 'the S3 endpoint is a route, and no route table of the VPC is known; import it with '
        + 'privateSubnetRouteTableIds (or those of its isolated or public subnets), or by Vpc.fromLookup().');
    }
    const vpc: ec2.IVpc & { [ENDPOINT_OWNER]?: Network } = this.vpc;
    // The same VPC may be imported to a stack twice.
    const endpointOwner = vpc[ENDPOINT_OWNER] ?? Stack.of(this).node.findAll().filter(isNetwork)
      .find(other => other.node.tryFindChild('S3Endpoint') && other.vpc.vpcId === vpcId && Stack.of(other) === Stack.of(this)) ?? this;
    Object.defineProperty(vpc, ENDPOINT_OWNER, { value: endpointOwner });
    return endpointOwner;
  }
}

function makeGroup(scope: Construct, id: string, vpc: ec2.IVpc, whose: string): ec2.SecurityGroup {
  return new ec2.SecurityGroup(scope, id, { vpc, description: `${whose}: no ingress, egress to HTTPS and the Prefect API`, allowAllOutbound: false });
}
