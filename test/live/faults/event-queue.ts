import { StandIn } from '../../stand-in/stand-in';
import { sqs, visibleMessages } from '../support/queue';

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
    await sqs(this.standIn, 'SendMessage', { QueueUrl: this.queue, MessageBody: body });
  }

  public async purge(): Promise<void> {
    await sqs(this.standIn, 'PurgeQueue', { QueueUrl: this.queue });
  }

  /** Number of messages that were given up. */
  public deadLetters(): Promise<number> {
    return visibleMessages(this.standIn, this.deadLetterQueue);
  }
}
