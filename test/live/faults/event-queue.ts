import { StandIn } from '../../stand-in/stand-in';

/** The queue of task events that a worker's observer reads; a PROCESS worker has none. */
export class EventQueue {
  private readonly queue: string;
  private readonly deadLetterQueue: string;

  constructor(private readonly standIn: StandIn, physicalIds: Readonly<Record<string, string>>) {
    const queue = (pattern: RegExp) => Object.entries(physicalIds).find(([logicalId]) => pattern.test(logicalId))?.[1] ?? '';
    this.queue = queue(/Events(?!.*(DeadLetter|Policy)).*Queue/);
    this.deadLetterQueue = queue(/DeadLetterQueue(?!Policy)/);
  }

  public async send(body: string): Promise<void> {
    await this.ask('SendMessage', { QueueUrl: this.queue, MessageBody: body });
  }

  public async purge(): Promise<void> {
    await this.ask('PurgeQueue', { QueueUrl: this.queue });
  }

  /** Number of messages that were given up. */
  public async deadLetters(): Promise<number> {
    const { Attributes } = await this.ask('GetQueueAttributes', { QueueUrl: this.deadLetterQueue, AttributeNames: ['ApproximateNumberOfMessages'] });
    return Number(Attributes.ApproximateNumberOfMessages);
  }

  /** One request, for which the SDK's client of the service would be one more dependency. */
  private async ask(action: string, parameters: Record<string, unknown>): Promise<any> {
    const response = await fetch(this.standIn.endpoint, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': `AmazonSQS.${action}`,
        'authorization': `AWS4-HMAC-SHA256 Credential=test/20260101/${this.standIn.environment.AWS_REGION}/sqs/aws4_request, SignedHeaders=host, Signature=0`,
      },
      body: JSON.stringify(parameters),
    });
    if (!response.ok) throw new Error(`${action}: ${response.status} ${await response.text()}`);
    return JSON.parse(await response.text() || '{}');
  }
}
