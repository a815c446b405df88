import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';

/** What the function says in its log when crashed runs of a worker up to a time have been published. */
const said = (worker: string) => `Crashed runs of ${worker} are counted until`;

/** How far back to look, in minutes: usually the last poll was a minute ago, and an outage rarely lasts for days. */
const LOOK_BACK = [10, 24 * 60];

/**
 * Up to which time the crashed runs of each worker have been counted. The function remembers; an instance that starts afresh, or that has
 * skipped a poll, reads what another one said in the log, so that an outage or a new version neither loses a crashed
 * run nor counts it twice. Two polls at once know nothing of each other, and both count.
 */
export class CrashCursor {
  private readonly known = new Map<string, Date>();

  /**
   * Undefined where nothing was counted before.
   *
   * @param trustedSeconds how old what it remembers may be: where it skipped a poll, another instance may have stepped in
   */
  public async read(worker: string, now: Date, trustedSeconds: number): Promise<Date | undefined> {
    const known = this.known.get(worker);
    if (known && now.getTime() - known.getTime() < trustedSeconds * 1000) return known;
    for (const minutes of LOOK_BACK) {
      const found = await fromLog(worker, new Date(now.getTime() - minutes * 60_000));
      if (found) return known && known > found ? known : found;
    }
    return known;
  }

  public advance(worker: string, until: Date): void {
    this.known.set(worker, until);
    console.log(`${said(worker)} ${until.toISOString()}`);
  }
}

async function fromLog(worker: string, since: Date): Promise<Date | undefined> {
  // The instances of many workers may ask at the same moment, and CloudWatch answers some questions a second.
  const client = new CloudWatchLogsClient({ maxAttempts: 8 });
  let latest: string | undefined;
  let nextToken: string | undefined;
  do {
    const answer = await client.send(new FilterLogEventsCommand({
      logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME, startTime: since.getTime(), filterPattern: `"${said(worker)}"`, nextToken,
    }));
    for (const { message = '' } of answer.events ?? []) {
      const time = message.split(said(worker))[1]?.trim();
      if (time && (latest === undefined || time > latest)) latest = time;
    }
    nextToken = answer.nextToken;
  } while (nextToken);
  return latest === undefined ? undefined : new Date(latest);
}
