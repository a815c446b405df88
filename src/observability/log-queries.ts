import { aws_logs as logs, Names } from 'aws-cdk-lib';
import { Construct } from 'constructs';

/**
 * Prefect's JSON lines have Python's own names: `levelname`, `name`, `exc_info`. `message` is `msg` with its arguments filled in,
 * and is missing where only the console takes the record. What is no JSON, such as a traceback at start-up, is searched as text.
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

/** Saves the questions under the worker's name, so that whoever is on call finds them in Logs Insights. */
export class LogQueries extends Construct {
  constructor(scope: Construct, id: string, logGroup: logs.ILogGroup) {
    super(scope, id);
    const folder = Names.uniqueResourceName(scope.node.scope as Construct, { maxLength: 150, separator: '-' });
    for (const [name, query] of Object.entries(LOG_QUERIES)) {
      // The L2 takes the lines in one order only, and its word for `stats` differs between the supported versions.
      new logs.CfnQueryDefinition(this, name, {
        name: `prefect/${folder}/${query.title}`,
        queryString: queryString(query),
        logGroupNames: [logGroup.logGroupName],
      });
    }
  }
}
