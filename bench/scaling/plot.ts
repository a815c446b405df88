import { Comparison } from './compare';
import { latenesses } from './measure';
import { SimulationResult, Sample } from './simulation';

const WIDTH = 1000;
const LEFT = 60;
const RIGHT = 16;
const PANEL = 150;
const GAP = 46;
const TOP = 54;
const COLOURS = { demand: '#c9ced6', template: '#1f6feb', official: '#d9730d', text: '#24292f', grid: '#e6e8eb' };
const HOUR = 3600;

/** A trace's demand, capacity and lateness as an SVG: this library above, the official template below it. */
export function plot({ trace, course }: Comparison): string {
  const x = (time: number) => LEFT + time / trace.seconds * (WIDTH - LEFT - RIGHT);
  const both = [course.template, course.official];
  const slots = Math.max(1, ...both.flatMap(({ samples }) => samples.map(({ demand, capacity }) => Math.max(demand, capacity))));
  const late = Math.max(1, ...both.flatMap(played => latenesses(played).map(({ seconds }) => seconds / 60)));
  const panels = [
    slotsPanel('this library: demand and capacity, flow runs', course.template, COLOURS.template, slots, x),
    slotsPanel('official template: demand and capacity, flow runs', course.official, COLOURS.official, slots, x),
    latenessPanel('lateness of each flow run, minutes', course, late, x),
  ];
  const height = TOP + panels.length * (PANEL + GAP);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="Helvetica, Arial, sans-serif" font-size="12" fill="${COLOURS.text}">`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    `<text x="${LEFT}" y="22" font-size="15" font-weight="bold">${trace.name}: ${escape(trace.what)}</text>`,
    legend(),
    ...panels.map((panel, index) => `<g transform="translate(0 ${TOP + index * (PANEL + GAP) + 16})">${timeAxis(trace.seconds, x)}${panel}</g>`),
    '</svg>',
  ].join('\n');
}

function slotsPanel(title: string, { samples }: SimulationResult, colour: string, most: number, x: (time: number) => number): string {
  const y = (value: number) => PANEL * (1 - value / most);
  const demand = steps(samples, sample => sample.demand, x, y);
  return [
    heading(title), valueAxis(most, y),
    `<path d="M${LEFT} ${PANEL}${demand}V${PANEL}Z" fill="${COLOURS.demand}"/>`,
    `<path d="M${LEFT} ${y(samples[0]?.capacity ?? 0)}${steps(samples, sample => sample.capacity, x, y)}" fill="none" stroke="${colour}" stroke-width="1.6"/>`,
  ].join('');
}

function latenessPanel(title: string, course: Comparison['course'], most: number, x: (time: number) => number): string {
  const y = (value: number) => PANEL * (1 - value / most);
  // Thousands of runs fall on the same spot.
  const dots = (played: SimulationResult, colour: string) => [...new Set(latenesses(played).map(({ due, seconds }) =>
    `cx="${Math.round(x(due))}" cy="${Math.round(y(seconds / 60))}"`))].map(place => `<circle ${place} r="2.2" fill="${colour}" fill-opacity="0.55"/>`).join('');
  return heading(title) + valueAxis(most, y) + dots(course.official, COLOURS.official) + dots(course.template, COLOURS.template);
}

/** A line that keeps its height until it changes. */
function steps(samples: readonly Sample[], value: (sample: Sample) => number, x: (time: number) => number, y: (value: number) => number): string {
  let path = '';
  let last: number | undefined;
  for (const sample of samples) {
    if (value(sample) === last) continue;
    last = value(sample);
    path += `H${round(x(sample.time))}V${round(y(last))}`;
  }
  return `${path}H${WIDTH - RIGHT}`;
}

function timeAxis(seconds: number, x: (time: number) => number): string {
  const step = seconds <= 30 * HOUR ? 2 * HOUR : seconds <= 100 * HOUR ? 6 * HOUR : 24 * HOUR;
  let axis = '';
  for (let time = 0; time <= seconds; time += step) {
    const label = step === 24 * HOUR ? `day ${time / step + 1}` : `${time / HOUR % 24}:00`;
    axis += `<path d="M${round(x(time))} 0V${PANEL}" stroke="${COLOURS.grid}"/>`
      + `<text x="${round(x(time))}" y="${PANEL + 15}" text-anchor="middle" font-size="10">${label}</text>`;
  }
  return axis;
}

function valueAxis(most: number, y: (value: number) => number): string {
  const raw = most / 4;
  const size = Math.pow(10, Math.floor(Math.log10(raw)));
  const step = [1, 2, 5, 10].map(of => of * size).find(of => of >= raw)!;
  let axis = '';
  for (let value = 0; value <= most + 1e-9; value += step) {
    axis += `<path d="M${LEFT} ${round(y(value))}H${WIDTH - RIGHT}" stroke="${COLOURS.grid}"/>`
      + `<text x="${LEFT - 6}" y="${round(y(value) + 4)}" text-anchor="end" font-size="10">${Number(value.toPrecision(3))}</text>`;
  }
  return axis;
}

function heading(title: string): string {
  return `<text x="${LEFT}" y="-6" font-size="11">${title}</text>`;
}

function legend(): string {
  const entries: [string, string][] = [['demand: runs due and not finished', COLOURS.demand], ['this library', COLOURS.template], ['official template', COLOURS.official]];
  return entries.map(([name, colour], index) =>
    `<rect x="${LEFT + index * 230}" y="32" width="12" height="12" fill="${colour}"/><text x="${LEFT + index * 230 + 18}" y="42" font-size="11">${name}</text>`).join('');
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escape(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/"/g, '&quot;');
}
