import { aws_logs as logs, Lazy, Stack } from 'aws-cdk-lib';
import { Construct, IConstruct } from 'constructs';
import { shared } from '../private/shared';

/**
 * Prefect's JSON lines have Python's own names: `levelname`, `name`, `exc_info`. `message` is `msg` with its arguments filled in,
 * and is missing where only the console takes the record. What is not JSON, such as a traceback at start-up, is searched as text.
 */
const FIELDS = 'fields @timestamp, levelname, name, flow_run_name, coalesce(message, msg, @message) as text, exc_info.message, @logStream';

interface LogQuery {
  readonly title: string;
  readonly lines: readonly string[];
}

/**
 * Questions to the logs of the worker and of its flow runs.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html
 */
export const LOG_QUERIES = {
  Errors: {
    title: 'errors',
    lines: [
      FIELDS,
      'filter levelname in ["ERROR", "CRITICAL"] or @message like /^Traceback|^[A-Za-z.]+Error:/',
      'sort @timestamp desc',
      'limit 100',
    ],
  },
  SlowStarts: {
    title: 'slow starts',
    lines: [
      // From the worker's hand to the flow's first line; a single line is a run that has not begun.
      'filter message like /submitting flow run|Beginning flow run/',
      'stats min(@timestamp) as submitted, (max(@timestamp) - min(@timestamp)) / 1000 as seconds, count(*) as lines by flow_run_id, flow_run_name',
      'filter lines > 1',
      'sort seconds desc',
      'limit 50',
    ],
  },
  RunById: {
    title: 'a run by id (put it in place of the zeros)',
    lines: [
      FIELDS,
      'filter @message like /00000000-0000-0000-0000-000000000000/',
      'sort @timestamp asc',
      'limit 1000',
    ],
  },
  CrashedTasks: {
    title: 'crashed tasks',
    lines: [
      FIELDS,
      'filter @message like /Crash detected|as crashed|exited with|OutOfMemory|CannotPull|MemoryError|Killed/',
      'sort @timestamp desc',
      'limit 100',
    ],
  },
} satisfies Record<string, LogQuery>;

export function queryString({ lines }: LogQuery): string {
  return lines.join('\n| ');
}

/** The questions to the logs of all workers of a stack, saved under its name, so that whoever is on call finds them in Logs Insights. */
export class LogQueries extends Construct {
  public static of(worker: IConstruct): LogQueries {
    return shared(worker, 'Queries', (scope, id) => new LogQueries(scope, id));
  }

  private readonly logGroupNames: string[] = [];

  private constructor(scope: Construct, id: string) {
    super(scope, id);
    for (const [name, query] of Object.entries(LOG_QUERIES)) {
      // The L2 takes the lines in one order only, and its word for `stats` differs between the supported versions.
      new logs.CfnQueryDefinition(this, name, {
        name: `prefect/${Stack.of(this).stackName}/${query.title}`,
        queryString: queryString(query),
        logGroupNames: Lazy.list({ produce: () => this.logGroupNames }),
      });
    }
  }

  public ask(logGroup: logs.ILogGroup): void {
    this.logGroupNames.push(logGroup.logGroupName);
  }
}
