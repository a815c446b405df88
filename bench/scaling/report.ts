import { bars } from './bars';
import { Comparison, Results } from './compare';
import { Conditions } from './conditions';
import { Measured } from './measure';

const SCALED_BY: Record<keyof Results, string> = {
  template: 'this library',
  official: '(a) official template',
  idle: '(b) one idle worker',
  fixed: '(c) fixed fleet',
  oracle: '(d) oracle',
  oracleAsLate: '(d) oracle, as late',
  instant: 'reaction without delay',
};

/** The heading of a setting's tables. */
export function heading({ name }: Conditions, seeds: number): string {
  return `#### In the ${name} setting, with ${seeds} seeds`;
}

/** What each trace came to, as a Markdown table. */
export function resultsTable(comparisons: readonly Comparison[]): string {
  return optionsTable(comparisons.map(({ trace }) => trace.name), (Object.keys(SCALED_BY) as (keyof Results)[])
    .map(scaling => [SCALED_BY[scaling], comparisons.map(({ trace, results }) => (scaling === 'instant' && trace.scheduled ? undefined : results[scaling]))]), 'scaled by');
}

/** Whether the bars are met, trace by trace. */
export function barsTable(comparisons: readonly Comparison[]): string {
  const columns = [...new Set(comparisons.flatMap(of => bars(of).map(({ what }) => what)))];
  return table(['trace', ...columns], comparisons.map(comparison => {
    const of = new Map(bars(comparison).map(bar => [bar.what, bar]));
    return [`**${comparison.trace.name}**`, ...columns.map(what => `${of.get(what)!.value} ${of.get(what)!.met ? '✓' : '✗'}`)];
  }));
}

/** What each of some options comes to on some traces. */
export function optionsTable(
  traces: readonly string[], options: readonly (readonly [string, readonly (Measured | undefined)[]])[], what = 'options',
): string {
  return table(['trace', what, 'task-hours', 'late-run minutes', 'p50 lateness', 'p99 lateness', 'busy workers taken'],
    traces.flatMap((trace, index) => options
      .flatMap(([option, measured]) => (measured[index] === undefined ? [] : [[option, ...cells(measured[index])]]))
      .map((row, first) => [first === 0 ? `**${trace}**` : '', ...row])));
}

function cells({ taskHours, lateMinutes, p50, p99, handBacks, spread }: Measured): string[] {
  return [
    taskHours.toFixed(1),
    `${lateMinutes.toFixed(1)}${spread.lateMinutes >= 0.5 ? ` ± ${spread.lateMinutes.toFixed(0)}` : ''}`,
    `${p50.toFixed(0)} s`, `${p99.toFixed(0)} s`, handBacks.toFixed(1),
  ];
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (of: readonly string[]) => `| ${of.join(' | ')} |`;
  return [line(header), line(header.map((_, index) => (index < 2 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}
