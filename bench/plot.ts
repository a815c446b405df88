/** The pictures of the benches, as SVG: bars beside each other, and lines over a few places. */
const WIDTH = 1000;
const [TOP, ROW, PANEL, MARGIN] = [56, 34, 200, 16];
const TEXT = '#24292f';
const GRID = '#e6e8eb';
const COLOURS = ['#1f6feb', '#d9730d', '#2da44e', '#8250df', '#bf3989', '#9a6700', '#57606a', '#0a7ea4', '#cf222e'];

export interface Bars {
  readonly title: string;
  readonly unit: string;
  /** What the parts of each bar are, where it has several. */
  readonly parts?: readonly string[];
  readonly rows: readonly { readonly name: string; readonly values: readonly number[] }[];
  readonly digits?: number;
}

/** A bar for each row, of its values one after the other. */
export function bars({ title, unit, parts = [], rows, digits = 0 }: Bars): string {
  const left = MARGIN + 7 * Math.max(...rows.map(({ name }) => name.length));
  const sum = (values: readonly number[]) => values.reduce((all, one) => all + one, 0);
  const most = Math.max(...rows.map(({ values }) => sum(values)));
  const x = (value: number) => left + value / most * (WIDTH - left - 110);
  const drawn = rows.map(({ name, values }, index) => {
    const y = TOP + index * ROW + (parts.length > 0 ? 24 : 0);
    const boxes = values.map((value, part) => {
      const [begin, end] = [x(sum(values.slice(0, part))), x(sum(values.slice(0, part + 1)))];
      const label = values.length > 1 && end - begin > 34 ? words((begin + end) / 2, y + 16, value.toFixed(digits), 'text-anchor="middle" fill="#ffffff"') : '';
      return `<rect x="${round(begin)}" y="${y}" width="${round(end - begin)}" height="${ROW - 10}" fill="${COLOURS[part]}"/>${label}`;
    });
    return words(left - 8, y + 16, name, 'text-anchor="end"') + boxes.join('') + words(x(sum(values)) + 8, y + 16, `${sum(values).toFixed(digits)} ${unit}`);
  });
  return picture(TOP + rows.length * ROW + (parts.length > 0 ? 24 : 0) + MARGIN, title, legend(parts, MARGIN), drawn);
}

export interface Lines {
  readonly title: string;
  readonly x: readonly string[];
  readonly names: readonly string[];
  /** For each, the values of every line. */
  readonly panels: readonly { readonly title: string; readonly lines: readonly (readonly number[])[] }[];
}

/** A line for each name over the same places, in one panel or several. */
export function lines({ title, x: places, names, panels }: Lines): string {
  const top = TOP + 20 * Math.ceil(names.length / 2) + 20;
  const left = 70;
  const x = (index: number) => left + 40 + index * (WIDTH - left - 120) / Math.max(1, places.length - 1);
  const drawn = panels.map((panel, index) => {
    const base = top + index * (PANEL + 60) + PANEL;
    const most = Math.max(...panel.lines.flat());
    const y = (value: number) => base - value / most * (PANEL - 10);
    const step = stepOf(most);
    const marks = Array.from({ length: Math.floor(most / step) + 1 }, (_, mark) => mark * step);
    return [
      words(left, base - PANEL - 6, panel.title, 'font-weight="bold"'),
      ...marks.map(mark => `<path d="M${left} ${round(y(mark))}H${WIDTH - MARGIN}" stroke="${GRID}"/>${words(left - 6, y(mark) + 4, mark.toLocaleString('en-US'), 'text-anchor="end"')}`),
      ...places.map((place, at) => words(x(at), base + 18, place, 'text-anchor="middle"')),
      ...panel.lines.map((values, line) => `<path d="M${values.map((value, at) => `${round(x(at))} ${round(y(value))}`).join('L')}" fill="none" stroke="${COLOURS[line]}" stroke-width="2"/>`
        + values.map((value, at) => `<circle cx="${round(x(at))}" cy="${round(y(value))}" r="3.5" fill="${COLOURS[line]}"/>`).join('')),
    ].join('');
  });
  return picture(top + panels.length * (PANEL + 60), title, legend(names, MARGIN, 2), drawn);
}

function picture(height: number, title: string, names: string, drawn: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="Helvetica, Arial, sans-serif" font-size="12" fill="${TEXT}">`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    words(MARGIN, 24, title, 'font-size="15" font-weight="bold"'),
    names, ...drawn, '</svg>',
  ].join('\n');
}

/** In so many columns, or in one line. */
function legend(names: readonly string[], left: number, columns = names.length): string {
  return names.map((name, index) => {
    const [x, y] = [left + index % columns * (WIDTH - 2 * left) / columns, 40 + 20 * Math.floor(index / columns)];
    return `<rect x="${round(x)}" y="${y}" width="12" height="12" fill="${COLOURS[index]}"/>${words(x + 18, y + 10, name)}`;
  }).join('');
}

/** Between the marks of an axis. */
function stepOf(most: number): number {
  const size = Math.pow(10, Math.floor(Math.log10(most / 4)));
  return [1, 2, 5, 10].map(of => of * size).find(of => of >= most / 4)!;
}

function words(x: number, y: number, text: string, style = ''): string {
  return `<text x="${round(x)}" y="${round(y)}" ${style}>${text.replace(/&/g, '&amp;').replace(/</g, '&lt;')}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
