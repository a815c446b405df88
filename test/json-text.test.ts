import { App, aws_s3 as s3, CfnParameter, Fn, Lazy, Stack, Token } from 'aws-cdk-lib';
import { JsonText } from '../src/private/json-text';

const env = { account: '111122223333', region: 'eu-west-1' };
const app = new App({ analyticsReporting: false });
const stack = new Stack(app, 'Stack', { env });
const bucket = new s3.Bucket(stack, 'Bucket');
const other = new s3.Bucket(new Stack(app, 'Other', { env }), 'Bucket');
const number = new CfnParameter(stack, 'Number', { type: 'Number' });

const values: { readonly [what: string]: unknown } = {
  'no token': { text: 'a "quoted" word', list: [1, true, null, undefined, 'x'], nothing: undefined, inner: {} },
  'a reference': { bucket: bucket.bucketArn },
  'references within text': [`${bucket.bucketArn}/"of"/${stack.stackId}`, bucket.bucketArn, bucket.bucketArn],
  'a reference to another stack': { name: other.bucketName, url: other.bucketWebsiteUrl },
  'a number known at deployment': { number: number.valueAsNumber, rows: Lazy.any({ produce: () => [number.valueAsNumber] }) },
  'text that turns out to be a number': { number: Token.asString(5) },
  'text that turns out to be nothing': { nothing: Lazy.string({ produce: () => undefined }), something: bucket.bucketName },
  'text known at the end of synthesis': { text: Lazy.string({ produce: () => 'a "quoted" word' }) },
  'a value known at the end of synthesis': { value: Lazy.any({ produce: () => ({ list: [bucket.bucketName], nothing: undefined }) }) },
  'an intrinsic function': { first: Fn.select(0, Fn.split('"', bucket.bucketName)), all: Fn.join('-', ['"', bucket.bucketName]) },
  'a token that is one': { value: Token.asAny({ 'Fn::GetAtt': ['Bucket', 'Arn'] }) },
  'a list known at deployment': { list: Fn.split(',', bucket.bucketName) },
  'a key with a token': { [stack.stackId]: bucket.bucketName },
};

test.each(Object.entries(values))('JSON is as the CDK writes it with %s', (_, value) => {
  expect(stack.resolve(new JsonText(stack, [value]).toString())).toEqual(stack.resolve(stack.toJsonString(value)));
});

test('values are separated by commas', () => {
  expect(stack.resolve(new JsonText(stack, [bucket.bucketName, 1, { a: 'b' }]).toString())).toEqual({
    'Fn::Join': ['', ['"', stack.resolve(bucket.bucketName), '",1,{"a":"b"}']],
  });
});

test('what has no token is known at once', () => {
  expect(new JsonText(stack, [values['no token']]).hasTokens).toBe(false);
  expect(new JsonText(stack, [values['a reference']]).hasTokens).toBe(true);
});

test('a reference to another stack becomes its import, also where a value is known at the end of synthesis only', () => {
  const apart = new App({ analyticsReporting: false });
  const [from, to] = ['From', 'To'].map(id => new Stack(apart, id));
  const { bucketName } = new s3.Bucket(from, 'Bucket');
  const text = new JsonText(to, [{ bucketName, list: Lazy.any({ produce: () => [bucketName] }) }]);
  new CfnParameter(to, 'Parameter', { default: text.toString() });
  const imports = apart.synth().getStackByName('To').template.Parameters.Parameter.Default['Fn::Join'][1].filter((part: unknown) => typeof part === 'object');
  expect(imports).toEqual(Array(2).fill({ 'Fn::ImportValue': expect.stringMatching(/^From:/) }));
});
