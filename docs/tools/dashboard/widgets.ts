import { AlarmNow, fieldsOf, isOfCosts, logGroupOf, LogLine, Recording, Widget } from './recording';
import { Box, GREY, INK, text } from '../drawing';

const LINK = '#0972d3';
const STATES: Record<AlarmNow['state'], readonly [color: string, fill: string, words: string]> = {
  OK: ['#037f0c', '#f2fcf3', 'OK'],
  ALARM: ['#d91515', '#fff7f7', 'In alarm'],
  INSUFFICIENT_DATA: ['#7d8998', '#f9f9fa', 'Insufficient data'],
};

/** As much of a text as fits. */
export function fit(content: string, width: number, size: number): string {
  const most = Math.floor(width / (size * 0.55));
  return content.length <= most ? content : `${content.slice(0, most - 1).trimEnd()}…`;
}

/** A text widget: headings, bold and links, which is the Markdown that the dashboard has. */
export function markdown({ properties }: Widget, { x, y, height }: Box): string {
  const lines = (properties.markdown as string).split('\n');
  const sizes = lines.map(line => (line.startsWith('## ') ? 21 : line.startsWith('### ') ? 16 : 13));
  const gap = 8;
  let baseline = y + (height - sizes.reduce((sum, size) => sum + size, 0) - gap * (lines.length - 1)) / 2;
  return lines.map((line, index) => {
    baseline += sizes[index];
    const drawn = spans(line.replace(/^#+ /, ''), sizes[index] > 13);
    const result = `<text x="${x + 8}" y="${baseline - 2}" font-size="${sizes[index]}" fill="${INK}">${drawn}</text>`;
    baseline += gap;
    return result;
  }).join('');
}

function spans(line: string, bold: boolean): string {
  const escape = (part: string) => part.replace(/&/g, '&amp;').replace(/</g, '&lt;');
  return line.split(/(\*\*[^*]+\*\*|\[[^\]]+\]\([^)]*\))/).filter(part => part).map(part => {
    const [, strong] = /^\*\*(.+)\*\*$/.exec(part) ?? [];
    const [, link] = /^\[(.+)\]\(.*\)$/.exec(part) ?? [];
    if (link) return `<tspan fill="${LINK}" text-decoration="underline">${escape(link)}</tspan>`;
    return `<tspan font-weight="${strong || bold ? 600 : 400}">${escape(strong ?? part)}</tspan>`;
  }).join('');
}

/** An alarm widget: a tile for each alarm, with its state at the end of the recording. */
export function alarmTiles({ alarms }: Recording, { properties }: Widget, box: Box): string {
  const asked: AlarmNow[] = properties.alarms.map((arn: string) => alarms.find(alarm => alarm.arn === arn));
  const shown = asked.filter(({ state }) => properties.states?.includes(state) ?? true);
  const columns = 3;
  const rows = Math.ceil(shown.length / columns);
  const [width, height] = [(box.width - 28 - 6 * (columns - 1)) / columns, (box.height - 46 - 6 * (rows - 1)) / rows];
  return shown.map(({ name, state }, index) => {
    const [color, fill, words] = STATES[state];
    const x = box.x + 14 + index % columns * (width + 6);
    const y = box.y + 36 + Math.floor(index / columns) * (height + 6);
    return `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="4" fill="${fill}" stroke="${color}" stroke-opacity="0.5"/>`
      + `<rect x="${x}" y="${y}" width="4" height="${height}" rx="2" fill="${color}"/>`
      + text(x + 12, y + height / 2 - 2, fit(name, width - 8, 10.5), { size: 10.5, weight: 600 })
      + text(x + 12, y + height / 2 + 12, words, { size: 10.5, color });
  }).join('');
}

interface Column {
  readonly title: string;
  /** Part of the table's width. */
  readonly part: number;
  readonly of: (row: any) => string;
}

/** A log widget: what its query finds among the lines of the recording. */
export function logTable(recording: Recording, widget: Widget, box: Box): string {
  const lines = recording.logs[logGroupOf(widget)];
  const [rows, columns] = isOfCosts(widget) ? costs(lines, widget) : /\| stats /.test(widget.properties.query) ? slowStarts(lines) : errors(lines);
  const width = box.width - 28;
  const most = Math.floor((box.height - 64) / 19);
  const row = (y: number, cells: readonly string[], style: object) => {
    let x = box.x + 14;
    return columns.map(({ part }, index) => {
      const drawn = text(x, y, fit(cells[index], part * width - 8, 11), { size: 11, ...style });
      x += part * width;
      return drawn;
    }).join('');
  };
  const rule = (y: number) => `<line x1="${box.x + 14}" x2="${box.x + box.width - 14}" y1="${y}" y2="${y}" stroke="#e9ebed"/>`;
  return [
    row(box.y + 46, columns.map(({ title }) => title), { color: GREY, weight: 600 }),
    rule(box.y + 53),
    ...rows.slice(0, most).map((found, index) => {
      const y = box.y + 69 + index * 19;
      return row(y, columns.map(({ of }) => of(found)), {}) + rule(y + 6);
    }),
    ...rows.length === 0 ? [text(box.x + 14, box.y + 72, 'No results', { size: 11.5, color: GREY })] : [],
  ].join('');
}

/** What the saved query "errors" asks for, the newest first. */
function errors(lines: readonly LogLine[]): [any[], Column[]] {
  const found = lines.map(line => ({ ...fieldsOf(line), time: line.time, raw: line.message }))
    .filter(({ levelname, raw }: any) => ['ERROR', 'CRITICAL'].includes(levelname) || /^Traceback|^[A-Za-z.]+Error:/.test(raw))
    .sort((a, b) => b.time.localeCompare(a.time));
  return [found, [
    { title: '@timestamp', part: 0.15, of: ({ time }) => time.slice(11, 23) },
    { title: 'levelname', part: 0.11, of: ({ levelname }) => levelname ?? '' },
    { title: 'flow_run_name', part: 0.2, of: ({ flow_run_name: name }) => name ?? '' },
    { title: 'text', part: 0.54, of: ({ message, msg, raw }) => String(message ?? msg ?? raw).split('\n')[0] },
  ]];
}

/** What the saved query "costs by deployment" asks for, the dearest first. */
function costs(lines: readonly LogLine[], { properties }: Widget): [any[], Column[]] {
  const [, worker] = /Worker = "([^"]+)"/.exec(properties.query)!;
  const sums = new Map<string, { deployment: string; dollars: number; tasks: number; hours: number }>();
  for (const { Cost, Worker, deployment, seconds } of lines.map(fieldsOf)) {
    if (Cost === undefined || Worker !== worker) continue;
    const { dollars, tasks, hours } = sums.get(deployment) ?? { dollars: 0, tasks: 0, hours: 0 };
    sums.set(deployment, { deployment, dollars: dollars + Cost, tasks: tasks + 1, hours: hours + seconds / 3600 });
  }
  return [[...sums.values()].sort((a, b) => b.dollars - a.dollars), [
    { title: 'deployment', part: 0.5, of: ({ deployment }) => deployment },
    { title: 'dollars', part: 0.2, of: ({ dollars }) => dollars.toFixed(5) },
    { title: 'tasks', part: 0.13, of: ({ tasks }) => `${tasks}` },
    { title: 'hours', part: 0.17, of: ({ hours }) => hours.toFixed(2) },
  ]];
}

/** What the saved query "slow starts" asks for, the slowest first. */
function slowStarts(lines: readonly LogLine[]): [any[], Column[]] {
  const runs = new Map<string, { name: string; times: number[] }>();
  for (const line of lines) {
    const { message, flow_run_id: id, flow_run_name: name } = fieldsOf(line);
    if (!id || !/submitting flow run|Beginning flow run/.test(message)) continue;
    const run: { name: string; times: number[] } = runs.get(id) ?? { name, times: [] };
    run.times.push(Date.parse(line.time));
    runs.set(id, run);
  }
  const found = [...runs.values()].filter(({ times }) => times.length > 1)
    .map(({ name, times }) => ({ name, seconds: (Math.max(...times) - Math.min(...times)) / 1000 })).sort((a, b) => b.seconds - a.seconds);
  return [found, [
    { title: 'flow_run_name', part: 0.7, of: ({ name }) => name ?? '' },
    { title: 'seconds', part: 0.3, of: ({ seconds }) => seconds.toFixed(1) },
  ]];
}
