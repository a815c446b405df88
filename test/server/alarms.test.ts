import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { aws_route53 as route53 } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { serverWith } from './app';
import { ServerAccess, ServerDatabase, ServerSize } from '../../src';

const small = serverWith().template();
const large = serverWith(stack => ({
  size: ServerSize.highlyAvailable(),
  database: ServerDatabase.auroraServerless(),
  access: ServerAccess.PUBLIC_LOAD_BALANCER,
  domain: { name: 'prefect.example.com', zone: route53.PublicHostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId: 'Z1', zoneName: 'example.com' }) },
})).template();

const alarms = (template: Template): any[] => Object.values(template.findResources('AWS::CloudWatch::Alarm')).map(({ Properties }) => Properties);
const alarm = (template: Template, name: string) => alarms(template).find(({ AlarmDescription }) => new RegExp(`#${name}\\b`, 'i').test(AlarmDescription));

test('every alarm of a server has its place in the handbook, and the handbook has no other', () => {
  const handbook = readFileSync(join(__dirname, '..', '..', 'docs', 'server.md'), 'utf8');
  const places = [...handbook.matchAll(/^### (Server\w+)$/gm)].map(([, heading]) => heading.toLowerCase());
  const told = new Set([small, large].flatMap(alarms).map(({ AlarmDescription }) => /docs\/server\.md#(\w+)/.exec(AlarmDescription)?.[1]));
  expect([...told].sort()).toEqual(places.sort());
});

test('the backlog of the background services is what their messages take of Valkey, in the fuller of its two nodes', () => {
  const { Metrics, Threshold } = alarm(large, 'ServerServicesBehind');
  const [group] = Object.keys(large.findResources('AWS::ElastiCache::ReplicationGroup'));
  expect(Metrics.map(({ MetricStat }: any) => MetricStat?.Metric).filter(Boolean)).toEqual(['-001', '-002'].map(node => ({
    Namespace: 'AWS/ElastiCache',
    MetricName: 'BytesUsedForCache',
    Dimensions: [{ Name: 'CacheClusterId', Value: { 'Fn::Join': ['', [{ Ref: group }, node]] } }, { Name: 'CacheNodeId', Value: '0001' }],
  })));
  expect(Metrics.find(({ Expression }: any) => Expression).Expression).toBe('MAX([bytesUsedForCache1, bytesUsedForCache2])');
  expect(Threshold).toBe(33554432);
});

test('a small server has no backlog that anybody could see', () => {
  expect(alarm(small, 'ServerServicesBehind')).toBeUndefined();
});
