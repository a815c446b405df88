import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, aws_sqs as sqs } from 'aws-cdk-lib';
import { picture } from '../../docs/tools/picture';
import { serverPicture } from '../../docs/tools/server-picture';
import { scenarios } from '../scenarios';
import '../support/worker';

const stack = () => scenarios.find(({ name }) => name === 'ecs')!.build(new App());

test('the picture of the default stack has a place for everything in it', () => {
  expect(picture(stack())).toContain('NAT gateway');
});

test('the picture of a public server has a place for everything in it', () => {
  expect(serverPicture(scenarios.find(({ name }) => name === 'public-server')!.build(new App()))).toContain('AWS WAF');
});

test('a resource without a place in the picture is an error', () => {
  const more = stack();
  new sqs.CfnQueueInlinePolicy(more, 'Policy', { queue: 'queue', policyDocument: {} });
  expect(() => picture(more)).toThrow('The picture shows no AWS::SQS::QueueInlinePolicy');
});

test.each(['architecture', 'server'])('the picture %s is a PNG of modest size', name => {
  const image = readFileSync(join(__dirname, '..', '..', 'docs', `${name}.png`));
  expect(image.subarray(1, 4).toString()).toBe('PNG');
  expect(image.length).toBeLessThan(300_000);
});
