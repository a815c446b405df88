import { aws_route53 as route53 } from 'aws-cdk-lib';
import { serverWith } from './app';
import { ServerAccess, ServerFirewallOptions } from '../../src';

/** The rules of a public server's web ACL, as they are in its template. */
export function publicRules(firewall: ServerFirewallOptions = {}): any[] {
  const template = serverWith(stack => ({
    access: ServerAccess.PUBLIC_LOAD_BALANCER,
    domain: { name: 'prefect.example.com', zone: route53.PublicHostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId: 'Z1', zoneName: 'example.com' }) },
    firewall,
  })).template();
  return Object.values(template.findResources('AWS::WAFv2::WebACL'))[0].Properties.Rules;
}
