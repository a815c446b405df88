import { StandIn } from '../../stand-in/stand-in';

/** How many messages of a queue wait to be received. */
export async function visibleMessages(standIn: StandIn, queue: string): Promise<number> {
  const { Attributes } = await sqs<{ Attributes: { ApproximateNumberOfMessages: string } }>(
    standIn, 'GetQueueAttributes', { QueueUrl: queue, AttributeNames: ['ApproximateNumberOfMessages'] });
  return Number(Attributes.ApproximateNumberOfMessages);
}

/** One request to a queue, for which the SDK's client of the service would be one more dependency. */
export async function sqs<T>({ endpoint, environment }: StandIn, action: string, parameters: Record<string, unknown>): Promise<T> {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': `AmazonSQS.${action}`,
      'authorization': `AWS4-HMAC-SHA256 Credential=test/20260101/${environment.AWS_REGION}/sqs/aws4_request, SignedHeaders=host, Signature=0`,
    },
    body: JSON.stringify(parameters),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${action}: ${response.status} ${text}`);
  return (text ? JSON.parse(text) : {}) as T;
}
