import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Pieces of a drawing in AWS's style, as SVG. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Style {
  readonly stroke: string;
  readonly fill?: string;
  readonly dashed?: boolean;
}

const ICONS = join(dirname(require.resolve('aws-icons/package.json')), 'icons');
export const INK = '#232f3e';
export const GREY = '#5b6b7d';
export const ICON = 52;

export function svg(width: number, height: number, pieces: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="Inter" fill="${INK}">
<rect width="${width}" height="${height}" fill="#ffffff"/>
${pieces.join('\n')}
</svg>`;
}

export function text(x: number, y: number, content: string, { size = 14, weight = 400, color = INK, anchor = 'start' } = {}): string {
  const escaped = content.replace(/&/g, '&amp;').replace(/</g, '&lt;');
  return `<text x="${x}" y="${y}" font-size="${size}" font-weight="${weight}" fill="${color}" text-anchor="${anchor}">${escaped}</text>`;
}

/** An icon of the package aws-icons, by its path without `.svg`. */
export function icon(name: string, x: number, y: number, size = ICON): string {
  const source = readFileSync(join(ICONS, `${name}.svg`), 'utf8').replace(/<title>.*?<\/title>/, '');
  return source.replace('<svg ', `<svg x="${x}" y="${y}" width="${size}" height="${size}" `);
}

/** A frame with its name in the upper left corner, after an icon where it has one. */
export function frame({ x, y, width, height }: Box, title: string, { stroke, fill = 'none', dashed }: Style, groupIcon?: string): string {
  const dashes = dashed ? ' stroke-dasharray="7 5"' : '';
  const outline = `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="4" fill="${fill}" stroke="${stroke}" stroke-width="1.6"${dashes}/>`;
  if (!groupIcon) return outline + text(x + 12, y + 24, title, { size: 15, weight: 600, color: stroke });
  return outline + icon(groupIcon, x, y, 32) + text(x + 42, y + 22, title, { size: 15, weight: 600, color: stroke });
}

/** An icon over its name and a line or two of smaller print, centred on `x`. */
export function node(x: number, y: number, name: string, title: string, notes: readonly string[] = []): string {
  return [
    icon(name, x - ICON / 2, y),
    text(x, y + ICON + 19, title, { size: 14, weight: 600, anchor: 'middle' }),
    ...notes.map((note, index) => text(x, y + ICON + 37 + 16 * index, note, { size: 12.5, color: GREY, anchor: 'middle' })),
  ].join('');
}

export interface Label {
  readonly x: number;
  readonly y: number;
  readonly lines: readonly string[];
  readonly anchor?: string;
}

/** A line through the points, with an arrowhead at its end, and what it means. */
export function arrow(points: readonly (readonly [number, number])[], color = INK, label?: Label): string {
  const [[fromX, fromY], [toX, toY]] = points.slice(-2);
  const angle = Math.atan2(toY - fromY, toX - fromX) * 180 / Math.PI;
  return [
    `<polyline points="${points.map(point => point.join(',')).join(' ')}" fill="none" stroke="${color}" stroke-width="1.8" stroke-linejoin="round"/>`,
    `<path d="M0,0 L-10,-5 L-10,5 z" fill="${color}" transform="translate(${toX},${toY}) rotate(${angle})"/>`,
    ...(label?.lines ?? []).map((line, index) => text(label!.x, label!.y + 16 * index, line, { size: 12.5, color, anchor: label!.anchor })),
  ].join('');
}
