import { aws_cognito as cognito, aws_route53 as route53, SecretValue, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { serverWith } from './app';
import { PrefectServerProps, ServerAccess, ServerFirewallOptions, ServerSignIn } from '../../src';

const domain = (stack: Stack) => ({ zone: route53.PublicHostedZone.fromPublicHostedZoneAttributes(stack, 'Zone', { hostedZoneId: 'Z1', zoneName: 'example.com' }), name: 'prefect.example.com' });
const publicWith = (props: Partial<PrefectServerProps> = {}) =>
  serverWith(stack => ({ domain: domain(stack), access: ServerAccess.PUBLIC_LOAD_BALANCER, ...props }));
const oidc = ServerSignIn.oidc({
  issuer: 'https://login.example.com',
  authorizationEndpoint: 'https://login.example.com/authorize',
  tokenEndpoint: 'https://login.example.com/token',
  userInfoEndpoint: 'https://login.example.com/me',
  clientId: 'prefect',
  clientSecret: SecretValue.secretsManager('client'),
});
const rulesOf = (template: Template) => Object.values(template.findResources('AWS::ElasticLoadBalancingV2::ListenerRule')).map(({ Properties }) => Properties)
  .sort((one, other) => one.Priority - other.Priority);

describe('without a domain', () => {
  const { server, template } = serverWith();

  test('clients in the VPC find the tasks by a private name', () => {
    expect(server.apiUrl).toMatch(/^http:\/\/prefect\.[a-z0-9-]+\.internal:4200\/api$/);
    const [, zone] = /prefect\.(.*):4200/.exec(server.apiUrl)!;
    template().hasResourceProperties('AWS::ServiceDiscovery::PrivateDnsNamespace', { Name: zone });
    template().hasResourceProperties('AWS::ServiceDiscovery::Service', { Name: 'prefect', DnsConfig: Match.objectLike({ DnsRecords: [{ TTL: 10, Type: 'A' }] }) });
  });

  test('there is no load balancer, and nobody is let in', () => {
    template().resourceCountIs('AWS::ElasticLoadBalancingV2::LoadBalancer', 0);
    const open = Object.values(template().findResources('AWS::EC2::SecurityGroup')).filter(({ Properties }) => Properties.SecurityGroupIngress);
    expect(open).toEqual([]);
  });
});

describe('with a domain', () => {
  const { server, template } = serverWith(stack => ({ domain: domain(stack) }));

  test('an internal load balancer serves the name over HTTPS alone', () => {
    expect(server.apiUrl).toBe('https://prefect.example.com/api');
    template().hasResourceProperties('AWS::ElasticLoadBalancingV2::LoadBalancer', { Scheme: 'internal' });
    template().resourceCountIs('AWS::ElasticLoadBalancingV2::Listener', 1);
    template().hasResourceProperties('AWS::ElasticLoadBalancingV2::Listener', { Port: 443, Protocol: 'HTTPS', SslPolicy: Match.stringLikeRegexp('TLS13') });
    template().hasResourceProperties('AWS::CertificateManager::Certificate', { DomainName: 'prefect.example.com', ValidationMethod: 'DNS' });
    template().hasResourceProperties('AWS::Route53::RecordSet', { Name: 'prefect.example.com.', Type: 'A' });
  });

  test('a target is healthy while it answers, with or without its database', () => {
    template().hasResourceProperties('AWS::ElasticLoadBalancingV2::TargetGroup', {
      HealthCheckPath: '/api/health', TargetType: 'ip', TargetGroupAttributes: Match.arrayWith([{ Key: 'deregistration_delay.timeout_seconds', Value: '30' }]),
    });
  });

  test('access is logged, to a bucket that the load balancers of this account write to', () => {
    template().hasResourceProperties('AWS::ElasticLoadBalancingV2::LoadBalancer', { LoadBalancerAttributes: Match.arrayWith([{ Key: 'access_logs.s3.enabled', Value: 'true' }]) });
    template().hasResourceProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: Match.objectLike({
        Statement: Match.arrayWith([Match.objectLike({ Action: 's3:PutObject', Principal: { Service: 'logdelivery.elasticloadbalancing.amazonaws.com' }, Condition: Match.objectLike({ ArnLike: Match.anyValue() }) })]),
      }),
    });
  });

  test('tasks take requests from the load balancer alone', () => {
    template().hasResourceProperties('AWS::EC2::SecurityGroupIngress', { FromPort: 4200, ToPort: 4200, SourceSecurityGroupId: { 'Fn::GetAtt': [Match.stringLikeRegexp('ServerAccess'), 'GroupId'] } });
  });
});

describe('a public server', () => {
  test('is reached over HTTPS, and workers in the VPC by the private name', () => {
    const { server, template } = publicWith();
    expect(server.uiUrl).toBe('https://prefect.example.com');
    expect(server.apiUrl).toMatch(/^http:\/\/prefect\..*\.internal:4200\/api$/);
    template().hasResourceProperties('AWS::ElasticLoadBalancingV2::LoadBalancer', { Scheme: 'internet-facing' });
    const ports = Object.values(template().findResources('AWS::ElasticLoadBalancingV2::Listener')).map(({ Properties }) => Properties.Port);
    expect(ports).toEqual([443]);
  });

  test('has a sign-in for people beside the authentication string of programs', () => {
    const rules = rulesOf(publicWith({ signIn: oidc }).template());
    const header = (name: string, value: string) => expect.objectContaining({ Field: 'http-header', HttpHeaderConfig: { HttpHeaderName: name, Values: [value] } });
    const api = { Field: 'path-pattern', PathPatternConfig: { Values: ['/api', '/api/*'] } };
    expect(rules.map(({ Conditions }) => Conditions)).toEqual([
      [api, header('Authorization', 'Basic *')],
      [api, header('Sec-WebSocket-Protocol', 'prefect')],
      [api],
      [{ Field: 'path-pattern', PathPatternConfig: { Values: ['*'] } }],
    ]);
    const kind = ({ Type, AuthenticateOidcConfig }: any) => AuthenticateOidcConfig?.OnUnauthenticatedRequest ?? Type;
    expect(rules.map(({ Actions }) => Actions.map(kind))).toEqual([
      ['forward'], ['forward'], ['deny', 'forward'], ['authenticate', 'forward'],
    ]);
  });

  test('has a sign-in by Amazon Cognito', () => {
    const rules = rulesOf(serverWith(stack => {
      const userPool = new cognito.UserPool(stack, 'Pool');
      const signIn = ServerSignIn.cognito({
        userPool, userPoolClient: userPool.addClient('Client', { generateSecret: true }), userPoolDomain: userPool.addDomain('Domain', { cognitoDomain: { domainPrefix: 'flows' } }),
      });
      return { domain: domain(stack), access: ServerAccess.PUBLIC_LOAD_BALANCER, signIn };
    }).template());
    expect(rules.map(({ Actions }) => Actions[0].AuthenticateCognitoConfig?.OnUnauthenticatedRequest)).toEqual([undefined, undefined, 'deny', 'authenticate']);
  });
});

describe('the firewall', () => {
  const aclOf = (firewall: ServerFirewallOptions = {}) =>
    Object.values(publicWith({ firewall }).template().findResources('AWS::WAFv2::WebACL'))[0].Properties;

  test('stands before the public load balancer, and before no other', () => {
    const template = publicWith().template();
    template.hasResourceProperties('AWS::WAFv2::WebACLAssociation', { ResourceArn: { Ref: Match.stringLikeRegexp('LoadBalancer') } });
    serverWith(stack => ({ domain: domain(stack) })).template().resourceCountIs('AWS::WAFv2::WebACL', 0);
  });

  test('lets through what Prefect\'s clients send in bodies', () => {
    const overrides = ({ ManagedRuleGroupStatement: group }: any) => group?.RuleActionOverrides ?? [];
    const counted = Object.fromEntries(aclOf().Rules.map(({ Name, Statement }: any) =>
      [Name, overrides(Statement).map(({ Name: rule, ActionToUse }: any) => [rule, ...Object.keys(ActionToUse)].join(' '))]));
    expect(counted).toMatchObject({
      AWSManagedRulesAmazonIpReputationList: [],
      AWSManagedRulesCommonRuleSet: [
        'SizeRestrictions_BODY Count', 'GenericRFI_BODY Count', 'GenericLFI_BODY Count', 'EC2MetaDataSSRF_BODY Count', 'CrossSiteScripting_BODY Count', 'RestrictedExtensions_URIPATH Count',
      ],
    });
    expect(counted.AWSManagedRulesKnownBadInputsRuleSet).toEqual(expect.arrayContaining(['JavaDeserializationRCE_BODY Count', 'Log4JRCE_BODY Count']));
  });

  test('blocks an address that sends too much', () => {
    expect(aclOf().Rules[0]).toMatchObject({ Statement: { RateBasedStatement: { Limit: 2000, AggregateKeyType: 'IP', EvaluationWindowSec: 300 } }, Action: { Block: {} } });
    expect(aclOf({ requestsPerFiveMinutes: 500 }).Rules[0].Statement.RateBasedStatement.Limit).toBe(500);
  });

  test('only counts where that is asked for', () => {
    expect(aclOf({ countOnly: true }).Rules.map(({ Action, OverrideAction }: any) => Object.keys(Action ?? OverrideAction))).toEqual(Array(4).fill(['Count']));
  });

  test('has rules of yours before its own, and those against SQL injection where they are asked for', () => {
    const mine = { name: 'mine', priority: 0, statement: { geoMatchStatement: { countryCodes: ['AQ'] } }, action: { block: {} }, visibilityConfig: { cloudWatchMetricsEnabled: true, metricName: 'mine', sampledRequestsEnabled: true } };
    const { Rules } = aclOf({ rules: [mine], sqlInjectionRules: true });
    expect(Rules.map(({ Name }: any) => Name)).toEqual([
      'mine', 'Rate', 'AWSManagedRulesAmazonIpReputationList', 'AWSManagedRulesKnownBadInputsRuleSet', 'AWSManagedRulesCommonRuleSet', 'AWSManagedRulesSQLiRuleSet',
    ]);
    expect(new Set(Rules.map(({ Priority }: any) => Priority)).size).toBe(6);
  });

  test('logs what it looked at, without credentials', () => {
    const template = publicWith().template();
    template.hasResourceProperties('AWS::Logs::LogGroup', { LogGroupName: { 'Fn::Join': ['', ['aws-waf-logs-', { Ref: 'AWS::StackName' }, Match.stringLikeRegexp('^-')]] }, KmsKeyId: Match.anyValue() });
    template.hasResourceProperties('AWS::WAFv2::LoggingConfiguration', {
      RedactedFields: ['authorization', 'cookie', 'prefect-csrf-token'].map(Name => ({ SingleHeader: { Name } })),
    });
  });
});
