import { Stack, StackProps, aws_ec2 as ec2, aws_route53 as route53, aws_secretsmanager as secretsmanager } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { PrefectServer, ServerAccess, ServerSignIn, ServerSize } from 'cdk-prefect-fargate-worker';

/** A highly available server on the internet, behind a firewall: people sign in with the company's identity provider. */
export class PublicServer extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);

    new PrefectServer(this, 'Server', {
      vpc: new ec2.Vpc(this, 'Vpc', { maxAzs: 2 }),
      size: ServerSize.highlyAvailable(),
      access: ServerAccess.PUBLIC_LOAD_BALANCER,
      domain: {
        zone: route53.HostedZone.fromHostedZoneAttributes(this, 'Zone', { hostedZoneId: 'Z0123456789ABCDEFGHIJ', zoneName: 'example.com' }),
        name: 'prefect.example.com',
      },
      signIn: ServerSignIn.oidc({
        issuer: 'https://login.example.com',
        authorizationEndpoint: 'https://login.example.com/authorize',
        tokenEndpoint: 'https://login.example.com/token',
        userInfoEndpoint: 'https://login.example.com/userinfo',
        clientId: 'prefect',
        clientSecret: secretsmanager.Secret.fromSecretNameV2(this, 'Client', 'prefect-oidc-client').secretValue,
      }),
      // For the first days: see on the dashboard what it would block.
      firewall: { countOnly: true },
    });
  }
}
