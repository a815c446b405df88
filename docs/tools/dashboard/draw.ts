import { graph, singleValues } from './chart';
import { Recording, Widget } from './recording';
import { alarmTiles, logTable, markdown } from './widgets';
import { Box, GREY, svg, text } from '../drawing';

/** Pixels of one of a dashboard's 24 columns, and of its rows. */
const COLUMN = 58;
const ROW = 37;
const MARGIN = 20;
const HEADER = 44;
const GAP = 4;

/** A dashboard as CloudWatch lays it out: each widget at its place in the body, with what was recorded. */
export function draw(recording: Recording, title: string): string {
  const rows = Math.max(...recording.widgets.map(({ y, height }) => y + height));
  const [width, height] = [24 * COLUMN + 2 * MARGIN, HEADER + rows * ROW + MARGIN];
  const note = `${Math.round(recording.seconds / 60)} minutes of real flow runs on the local AWS, where AWS's times pass ${recording.timeScale} times as fast`;
  return svg(width, height, [
    `<rect width="${width}" height="${height}" fill="#f2f3f3"/>`,
    text(MARGIN + 8, 28, title, { size: 15, weight: 600 }),
    text(width - MARGIN - 8, 28, note, { size: 12, color: GREY, anchor: 'end' }),
    ...recording.widgets.map(widget => place(recording, widget)),
  ]);
}

function place(recording: Recording, widget: Widget): string {
  const box: Box = {
    x: MARGIN + widget.x * COLUMN + GAP,
    y: HEADER + widget.y * ROW + GAP,
    width: widget.width * COLUMN - 2 * GAP,
    height: widget.height * ROW - 2 * GAP,
  };
  if (widget.type === 'text') return markdown(widget, box);
  const content = { metric: widget.properties.view === 'singleValue' ? singleValues : graph, alarm: alarmTiles, log: logTable }[widget.type](recording, widget, box);
  return [
    `<rect x="${box.x}" y="${box.y}" width="${box.width}" height="${box.height}" rx="8" fill="#ffffff" stroke="#d5dbdb"/>`,
    text(box.x + 14, box.y + 23, widget.properties.title, { size: 13, weight: 600 }),
    content,
  ].join('');
}
