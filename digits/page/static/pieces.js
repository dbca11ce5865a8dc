// Pieces: strokes, or what they are cut into where they may link digits.

import { boundsOf, distanceTo, smooth } from "./digit_image.js";

const OVERLAP = 0.25; // of the narrower one's width: digits that a stroke links overlap less
const BEND = 0.5; // radians: a link turns less

/** The commonest height: where what is between h / 1.5 and 1.5 h high extends most. */
export function writingHeight(boxes) {
  const heights = boxes.map((box) => box.bottom - box.top).sort((a, b) => a - b);
  const alike = (h) => heights.filter((other) => other >= h / 1.5 && other <= 1.5 * h);
  const extent = (h) => alike(h).reduce((sum, other) => sum + other ** 1.5, 0);
  const best = heights.reduce((a, b) => (extent(b) > extent(a) ? b : a), heights[0]);
  const near = alike(best);
  return near[near.length >> 1];
}

/** A stroke as one piece, or as several where it may join digits; a link joins two of them. */
export function cut(stroke, number, height) {
  const line = smooth(stroke);
  const places = cuts(line, height);
  return [...places, line.length - 1].map((end, i) => {
    const piece = places.length ? line.slice(places[i - 1] ?? 0, end + 1) : line;
    const [first, last] = [i === 0, i === places.length];
    return { stroke: number, source: stroke, part: i, line: piece, box: boundsOf([piece]), first, last, link: i % 2 === 1 };
  });
}

/**
 * The points between which a line may link two digits: what comes before lies to the left of what
 * comes after, and both are high. A link is as long as it is straight.
 */
function cuts(line, height) {
  const { left, top, right, bottom } = boundsOf([line]);
  const ends = Math.hypot(line[0].x - line.at(-1).x, line[0].y - line.at(-1).y);
  const loop = ends < 0.25 * (right - left); // a 0 comes back to where it began
  if (loop || line.length < 8 || right - left < 0.5 * (bottom - top) || bottom - top < 0.5 * height) return [];
  const before = extents(line);
  const after = extents([...line].reverse()).reverse();
  const overlap = (i) => before[i].right - after[i].left;
  const slim = (i) => Math.min(...[before[i], after[i]].map((part) => part.right - part.left));
  const high = (i) => Math.min(...[before[i], after[i]].map((part) => part.bottom - part.top)) > 0.5 * (bottom - top);
  const mayEnd = (i) => high(i) && overlap(i) < OVERLAP * slim(i);
  const places = [];
  for (let i = 1; i < line.length - 1; i++) {
    const start = i;
    while (i < line.length - 1 && mayEnd(i)) i++;
    if (i === start) continue;
    const inside = Array.from({ length: i - start }, (_, n) => start + n);
    const least = Math.min(...inside.map(overlap));
    const ties = inside.filter((n) => overlap(n) <= least + 1);
    const [from, to] = straightAround(line, ties[ties.length >> 1]);
    if (from > (places.at(-1) ?? 0) && to < line.length - 1) places.push(from, to);
  }
  return places;
}

/** The box around a line up to each of its points. */
function extents(line) {
  let box = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
  return line.map(({ x, y }) => {
    box = { left: Math.min(box.left, x), top: Math.min(box.top, y), right: Math.max(box.right, x), bottom: Math.max(box.bottom, y) };
    return box;
  });
}

/** The ends of the part around a point in which a line keeps its direction, give or take BEND. */
function straightAround(line, middle) {
  const direction = (i) => Math.atan2(line[i + 1].y - line[i].y, line[i + 1].x - line[i].x);
  const turned = (i) => Math.abs(Math.atan2(Math.sin(direction(i) - direction(middle)), Math.cos(direction(i) - direction(middle))));
  let [from, to] = [middle, middle + 1];
  while (from > 1 && turned(from - 1) < BEND) from--;
  while (to < line.length - 2 && turned(to) < BEND) to++;
  return [from, to];
}

const gaps = new WeakMap(); // of lines that have been compared

/** The distance between the ink of two pieces; infinity where their boxes are `far` apart. */
export function gap(one, other, far) {
  const apart = (a, b, c, d) => Math.max(a - d, c - b);
  if (apart(one.box.left, one.box.right, other.box.left, other.box.right) > far) return Infinity;
  if (apart(one.box.top, one.box.bottom, other.box.top, other.box.bottom) > far) return Infinity;
  if (!gaps.has(one.line)) gaps.set(one.line, new WeakMap());
  const known = gaps.get(one.line);
  if (!known.has(other.line)) known.set(other.line, leastDistance(one.line, other.line));
  return known.get(other.line);
}

function leastDistance(line, other) {
  let least = Infinity;
  for (const p of line) {
    other.forEach((to, i) => {
      least = Math.min(least, distanceTo(p, other[Math.max(0, i - 1)], to) - (p.width + to.width) / 2);
    });
  }
  return least;
}
