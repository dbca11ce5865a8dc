// The lines that digits stand in, as digits/reading/lines.py finds them, and their groups.
//
// A thing is {x, y, width, height, ...}, in pixels; what else it has is left as it is.

import { quantile } from "./images.js";

const median = (values) => quantile(values, 0.5);
const middle = ({ x, width }) => x + width / 2;

/** How far lines fall, as a fraction of their length: the median over neighbours. */
export function slopeOf(things, height, { NEXT, STEEP }) {
  const places = things
    .filter((thing) => thing.height > 0.6 * height && thing.height < 1.6 * height)
    .map((thing) => ({ x: middle(thing), y: thing.y + thing.height / 2 }));
  if (places.length < 4) return 0;
  const slopes = places.flatMap((from) => {
    const steps = places.map(({ x, y }) => ({ dx: x - from.x, dy: y - from.y })).filter(({ dx, dy }) =>
      dx > 0.3 * height && dx < NEXT * height && Math.abs(dy) < 0.3 * dx + 0.1 * height);
    const length = ({ dx, dy }) => Math.hypot(dx, 2 * dy);
    return steps.length ? [steps.reduce((a, b) => (length(b) < length(a) ? b : a))].map(({ dx, dy }) => dy / dx) : [];
  });
  if (slopes.length < 3) return 0;
  const slope = median(slopes);
  const spread = median(slopes.map((one) => Math.abs(one - slope)));
  // A few digits that jump from line to line are no tilt.
  const clear = (4 * spread) / Math.sqrt(slopes.length) < Math.abs(slope) && Math.abs(slope) < STEEP;
  return clear && spread < 0.1 ? slope : 0;
}

/** The lines from top to bottom, each from left to right; `height` is that of the writing. */
export function linesOf(things, height) {
  const lines = [];
  const low = (thing) => thing.height < 0.5 * height;
  for (const thing of [...things].sort((a, b) => low(a) - low(b) || middle(a) - middle(b))) {
    const parts = lines.map(({ top, bottom }) =>
      (Math.min(bottom, thing.y + thing.height) - Math.max(top, thing.y)) / Math.min(bottom - top, thing.height));
    const best = parts.indexOf(Math.max(...parts));
    let line = parts[best] > 0.4 ? lines[best] : null;
    if (!line) lines.push((line = { things: [] }));
    line.things.push(thing);
    if (line.things.length > 1 && low(thing)) continue;
    const last = line.things.slice(-3);
    line.top = Math.min(...last.map(({ y }) => y));
    line.bottom = Math.max(...last.map(({ y, height }) => y + height));
  }
  const level = ({ things }) => things.reduce((sum, { y, height }) => sum + y + height / 2, 0) / things.length;
  return lines.sort((a, b) => level(a) - level(b)).map((line) => line.things.sort((a, b) => middle(a) - middle(b)));
}

/** Part a line at its wide gaps, as digits/reading/results.py does. */
export function groupsOf(line, { GAP }) {
  const gaps = line.slice(1).map(({ x }, i) => x - line[i].x - line[i].width);
  const height = median(line.map((thing) => thing.height));
  const ordered = [...[...gaps].sort((a, b) => a - b), 0, 0];
  const half = Math.max(0, Math.floor((gaps.length - 2) / 2));
  const groups = [[line[0]]];
  gaps.forEach((gap, i) => {
    const usual = ordered[half + (gap <= ordered[half])]; // of the gaps without this one
    if (gap > Math.max(GAP * height, 2 * usual)) groups.push([]);
    groups.at(-1).push(line[i + 1]);
  });
  return groups;
}
