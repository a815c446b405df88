import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, aws_sqs as sqs } from 'aws-cdk-lib';
import { picture } from '../../docs/tools/picture';
import { scenarios } from '../scenarios';
import '../support/worker';

const stack = () => scenarios.find(({ name }) => name === 'ecs')!.build(new App());

test('the picture of the default stack has a place for everything in it', () => {
  expect(picture(stack())).toContain('NAT gateway');
});

test('a resource without a place in the picture is an error', () => {
  const more = stack();
  new sqs.CfnQueueInlinePolicy(more, 'Policy', { queue: 'queue', policyDocument: {} });
  expect(() => picture(more)).toThrow('The picture shows no AWS::SQS::QueueInlinePolicy');
});

test('the picture is a PNG of modest size', () => {
  const image = readFileSync(join(__dirname, '..', '..', 'docs', 'architecture.png'));
  expect(image.subarray(1, 4).toString()).toBe('PNG');
  expect(image.length).toBeLessThan(300_000);
});
