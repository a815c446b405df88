import { bars } from './bars';
import { Comparison, Results } from './compare';
import { Measured } from './measure';

const WAYS: Record<keyof Results, string> = {
  template: 'this library',
  official: '(a) official template',
  fixed: '(b) fixed fleet',
  oracle: '(c) oracle',
  oracleAsLate: '(c) oracle, as late',
  instant: 'instant reaction',
};

/** What each trace came to, as a Markdown table. */
export function resultsTable(comparisons: readonly Comparison[], more: Record<string, readonly Comparison[]> = {}): string {
  return table(['trace', 'scaled by', 'task-hours', 'late-run minutes', 'p50 lateness', 'p99 lateness', 'lost runs'],
    comparisons.flatMap(({ trace, results }, index) => {
      const ways: [string, Measured][] = [
        [WAYS.template, results.template],
        ...Object.entries(more).map(([name, others]): [string, Measured] => [name, others[index].results.template]),
        ...(['official', 'fixed', 'oracle', 'instant'] as const)
          .filter(way => way !== 'instant' || !trace.scheduled)
          .map((way): [string, Measured] => [WAYS[way], results[way]]),
      ];
      return ways.map(([way, of], row) => [row === 0 ? `**${trace.name}**` : '', way, ...cells(of)]);
    }));
}

/** Whether the bars are met, trace by trace. */
export function barsTable(comparisons: readonly Comparison[]): string {
  const columns = [...new Set(comparisons.flatMap(of => bars(of).map(({ what }) => what)))].filter(what => what !== 'task-hours');
  return table(['trace', ...columns], comparisons.map(comparison => {
    const of = new Map(bars(comparison).map(bar => [bar.what, bar]));
    return [`**${comparison.trace.name}**`, ...columns.map(what => {
      const bar = of.get(what);
      return bar === undefined ? '' : `${bar.value} ${bar.met ? '✓' : '✗'}`;
    })];
  }));
}

/** What each choice of numbers comes to on some traces. */
export function choicesTable(choices: readonly (readonly [string, readonly Comparison[]])[]): string {
  return table(['trace', 'numbers', 'task-hours', 'of the oracle\'s as late', 'late-run minutes', 'p99 lateness'],
    choices[0][1].flatMap(({ trace }, index) => choices.map(([choice, comparisons], row) => {
      const { template, oracleAsLate } = comparisons[index].results;
      const ratio = `${(template.taskHours / oracleAsLate.taskHours).toFixed(2)} ×`;
      return [row === 0 ? `**${trace.name}**` : '', choice, template.taskHours.toFixed(1), ratio, template.lateMinutes.toFixed(1), `${template.p99.toFixed(0)} s`];
    })));
}

/** What each of some options comes to on some traces. */
export function optionsTable(traces: readonly string[], options: readonly (readonly [string, readonly Measured[]])[]): string {
  return table(['trace', 'options', 'task-hours', 'late-run minutes', 'p50 lateness', 'p99 lateness', 'lost runs'],
    traces.flatMap((trace, index) => options.map(([option, measured], row) => [row === 0 ? `**${trace}**` : '', option, ...cells(measured[index])])));
}

function cells({ taskHours, lateMinutes, p50, p99, lost }: Measured): string[] {
  return [taskHours.toFixed(1), lateMinutes.toFixed(1), `${p50.toFixed(0)} s`, `${p99.toFixed(0)} s`, lost.toFixed(0)];
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (of: readonly string[]) => `| ${of.join(' | ')} |`;
  return [line(header), line(header.map((_, index) => (index < 2 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}
