import { dataPoints, Plotted, plotted, Recording, Widget } from './recording';
import { evaluateMath, Series } from '../../../test/support/metric-math';
import { Box, GREY, text } from '../drawing';

/** In CloudWatch's order. */
const COLORS = ['#1f77b4', '#ff7f0e', '#2ca02c', '#9467bd', '#8c564b'];
const GRID = '#e9ebed';

interface Line extends Plotted {
  readonly color: string;
  readonly points: Series;
}

interface Axis {
  readonly max: number;
  readonly label?: string;
}

/** A widget of single values: the last data point of each metric, or the one of all that is shown, over its name. */
export function singleValues(recording: Recording, widget: Widget, box: Box): string {
  const lines = linesOf(recording, widget);
  const width = (box.width - 28) / lines.length;
  return lines.map(({ label, points, color }, index) => {
    const x = box.x + 14 + index * width;
    const value = points.filter(point => point !== undefined).at(-1);
    return text(x, box.y + box.height - 34, value === undefined ? '–' : `${+value.toPrecision(4)}`, { size: 22, weight: 600 })
      + text(x, box.y + box.height - 14, label, { size: 11, color });
  }).join('');
}

/** A graph widget: lines or stacked areas over the time of the recording, with axes and a legend. */
export function graph(recording: Recording, widget: Widget, box: Box): string {
  const lines = linesOf(recording, widget);
  const measured = lines.filter(({ points }) => points.some(value => value !== undefined));
  const { stacked, yAxis = {} } = widget.properties;
  const legend = legendOf(lines, box);
  const margin = measured.some(({ right }) => right) ? 88 : 60;
  const plot = { x: box.x + 44, y: box.y + 40, width: box.width - margin, height: box.height - 62 - legend.height };
  if (measured.length === 0) {
    return text(box.x + box.width / 2, plot.y + plot.height / 2 + 4, 'no data here: only AWS publishes it', { size: 12.5, color: GREY, anchor: 'middle' }) + legend.drawing;
  }
  const axis = (right: boolean): Axis | undefined => {
    const own = measured.filter(line => line.right === right);
    if (own.length === 0) return undefined;
    const { max, label } = yAxis[right ? 'right' : 'left'] ?? {};
    const values = stacked ? stack(own).at(-1)! : own.flatMap(({ points }) => points.filter(value => value !== undefined));
    return { max: max ?? nice(Math.max(...values)), label };
  };
  const axes = { left: axis(false), right: axis(true) };
  const draw = (own: Line[], { max }: Axis) => (stacked ? areas(own, recording, plot, max) : own.map(line => polyline(line, recording, plot, max)).join(''));
  return [
    grid(plot, axes, recording.seconds),
    ...axes.left ? [draw(measured.filter(({ right }) => !right), axes.left)] : [],
    ...axes.right ? [draw(measured.filter(({ right }) => right), axes.right)] : [],
    legend.drawing,
  ].join('');
}

function linesOf(recording: Recording, widget: Widget): Line[] {
  const metrics = plotted(widget);
  const points = (metric: Plotted): Series => {
    const period = widget.properties.setPeriodToTimeRange ? recording.seconds : metric.period;
    if (metric.key) return dataPoints(recording, metric.key, metric.statistic, period);
    // What searches for metrics finds none that the recording knows of.
    if (/SEARCH\(/.test(metric.expression!)) return [];
    const byId = Object.fromEntries(metrics.filter(({ id }) => id).map(other => [other.id!, points(other)]));
    return evaluateMath(metric.expression!, byId, metric.period);
  };
  return metrics.filter(({ visible }) => visible)
    .map((metric, index) => ({ ...metric, color: metric.color ?? COLORS[index % COLORS.length], points: points(metric) }));
}

/** The next number that divides well into four steps. */
function nice(value: number): number {
  const magnitude = 10 ** Math.floor(Math.log10(value));
  // Dollars have parts; of what is counted there is one, or none.
  if (value > 0 && value < 0.5) return [1, 2, 4, 8, 10].map(step => step * magnitude).find(step => step >= value)!;
  if (value <= 1) return 1;
  return [1, 2, 4, 8, 10, 20].map(step => step * magnitude).find(step => step >= Math.max(value, 4))!;
}

function stack(lines: readonly Line[]): number[][] {
  const sums = lines[0].points.map(() => 0);
  return lines.map(({ points }) => points.map((value, index) => sums[index] += value ?? 0));
}

const short = (value: number) => (value > 0 && value < 0.1 ? `${+value.toPrecision(2)}` : value >= 1e6 ? `${+(value / 1e6).toFixed(1)}M` : value >= 1e3 ? `${+(value / 1e3).toFixed(1)}k` : `${+value.toFixed(2)}`);

function grid(plot: Box, { left, right }: { left?: Axis; right?: Axis }, seconds: number): string {
  const steps = (left ?? right)!.max <= 1 ? 1 : 4;
  const rows = Array.from({ length: steps + 1 }, (_, step) => {
    const y = plot.y + plot.height * (1 - step / steps);
    return [
      `<line x1="${plot.x}" x2="${plot.x + plot.width}" y1="${y}" y2="${y}" stroke="${step === 0 ? '#aab7b8' : GRID}" stroke-width="1"/>`,
      ...left ? [text(plot.x - 6, y + 3.5, short(left.max * step / steps), { size: 10, color: GREY, anchor: 'end' })] : [],
      ...right ? [text(plot.x + plot.width + 6, y + 3.5, short(right.max * step / steps), { size: 10, color: GREY })] : [],
    ].join('');
  });
  const minutes = Array.from({ length: Math.floor(seconds / 300) + 1 }, (_, index) => index * 5);
  return [
    ...rows,
    ...left?.label ? [text(plot.x - 6, plot.y - 8, left.label, { size: 10, color: GREY, anchor: 'end' })] : [],
    ...minutes.map(minute => text(plot.x + plot.width * minute * 60 / seconds, plot.y + plot.height + 14, minute === 0 ? '0' : `${minute} min`, { size: 10, color: GREY, anchor: 'middle' })),
  ].join('');
}

/** Where a data point is: at the end of its period. */
function position({ period }: Line, recording: Recording, plot: Box, max: number) {
  return (index: number, value: number): [number, number] => [
    +(plot.x + plot.width * (index + 1) * period / recording.seconds).toFixed(1),
    +(plot.y + plot.height * (1 - Math.min(value, max) / max)).toFixed(1),
  ];
}

/** Interrupted where nothing was measured. */
function polyline(line: Line, recording: Recording, plot: Box, max: number): string {
  const at = position(line, recording, plot, max);
  const pieces: [number, number][][] = [[]];
  for (const [index, value] of line.points.entries()) {
    if (value === undefined) pieces.push([]);
    else pieces.at(-1)!.push(at(index, value));
  }
  return pieces.filter(({ length }) => length > 0).map(piece => (piece.length === 1
    ? `<circle cx="${piece[0][0]}" cy="${piece[0][1]}" r="2.5" fill="${line.color}"/>`
    : `<polyline points="${piece.join(' ')}" fill="none" stroke="${line.color}" stroke-width="1.8" stroke-linejoin="round"/>`)).join('');
}

function areas(lines: readonly Line[], recording: Recording, plot: Box, max: number): string {
  const sums = stack(lines);
  return lines.map((line, index) => {
    const at = position(line, recording, plot, max);
    const top = sums[index].map((value, point) => at(point, value));
    const bottom = (sums[index - 1] ?? sums[index].map(() => 0)).map((value, point) => at(point, value)).reverse();
    return `<polygon points="${[...top, ...bottom].join(' ')}" fill="${line.color}" fill-opacity="0.35"/>`
      + `<polyline points="${top.join(' ')}" fill="none" stroke="${line.color}" stroke-width="1.6"/>`;
  }).join('');
}

/** Below the graph, in as many rows as it takes; what was not measured says so. */
function legendOf(lines: readonly Line[], box: Box): { readonly drawing: string; readonly height: number } {
  let [x, row] = [box.x + 14, 0];
  const placed = lines.map(line => {
    const empty = line.points.every(value => value === undefined);
    const label = empty ? `${line.label} (no data here)` : line.label;
    const width = 22 + label.length * 6.1;
    if (x + width > box.x + box.width - 8 && x > box.x + 14) [x, row] = [box.x + 14, row + 1];
    const entry = { x, row, label, color: empty ? '#aab7b8' : line.color };
    x += width;
    return entry;
  });
  const height = (row + 1) * 16;
  const top = box.y + box.height - height;
  return {
    height,
    drawing: placed.map(entry => `<rect x="${entry.x}" y="${top + entry.row * 16 - 2}" width="10" height="10" rx="2" fill="${entry.color}"/>`
      + text(entry.x + 14, top + entry.row * 16 + 7, entry.label, { size: 11 })).join(''),
  };
}
