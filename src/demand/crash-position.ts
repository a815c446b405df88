import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';

/** What the function says in its log when crashed runs up to a time have been published. */
const SAID = 'Crashed runs are counted until';

/** How far back to look, in minutes: usually the last poll was a minute ago, and an outage rarely lasts for days. */
const LOOK_BACK = [10, 24 * 60];

/**
 * Up to which time crashed runs have been counted. The function remembers; an instance that starts afresh, or that has
 * skipped a poll, reads what another one said in the log, so that an outage or a new version neither loses a crashed
 * run nor counts it twice. Two polls at once know nothing of each other, and both count.
 */
export class CrashPosition {
  private known?: Date;

  /**
   * Undefined where nothing was counted before.
   *
   * @param trustedSeconds how old what it remembers may be: where it skipped a poll, another instance may have stepped in
   */
  public async read(now: Date, trustedSeconds: number): Promise<Date | undefined> {
    if (this.known && now.getTime() - this.known.getTime() < trustedSeconds * 1000) return this.known;
    for (const minutes of LOOK_BACK) {
      const found = await fromLog(new Date(now.getTime() - minutes * 60_000));
      if (found) return this.known && this.known > found ? this.known : found;
    }
    return this.known;
  }

  public advance(until: Date): void {
    this.known = until;
    console.log(`${SAID} ${until.toISOString()}`);
  }
}

async function fromLog(since: Date): Promise<Date | undefined> {
  const client = new CloudWatchLogsClient({});
  let latest: string | undefined;
  let nextToken: string | undefined;
  do {
    const answer = await client.send(new FilterLogEventsCommand({
      logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME, startTime: since.getTime(), filterPattern: `"${SAID}"`, nextToken,
    }));
    for (const { message = '' } of answer.events ?? []) {
      const time = message.split(SAID)[1]?.trim();
      if (time && (latest === undefined || time > latest)) latest = time;
    }
    nextToken = answer.nextToken;
  } while (nextToken);
  return latest === undefined ? undefined : new Date(latest);
}
