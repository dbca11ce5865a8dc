// Segmentation of what is written: which strokes make up one digit.
//
// Candidates are runs of strokes that follow each other, with one that crosses them later, as
// the bar of a 7 does. A stroke that may link two digits comes in pieces.
// Once the model has given each candidate a score, the digits are the best exact cover of all
// strokes, which dynamic programming finds.

import { boundsOf, smooth } from "./digit_image.js";
import { cut, gap, writingHeight } from "./pieces.js";

const STROKES = 3; // of one digit that follow each other
const NEAR = 0.2; // heights of the writing: between the strokes of one digit is less
const TOUCH = 0.04; // heights of the writing: between a dot or a dash and its digit is less
const WIDEST = 1.5; // heights of the writing: one digit of several strokes is less wide
const TALLEST = 1.6; // and less high
const HARDLY = 1.1; // times as wide as its widest stroke: so wide a digit may be, too
const SMALL = 0.25; // heights of the writing: a stroke no larger is a dot
const LONG = 2.5; // times as long as the pen is wide: a dash
const FLAT = 0.35; // of its width: a dash is less high
const COMMA = 0.5; // heights of the writing: a comma is less high
const STRAIGHT = 0.92; // of its length: the ends of a straight stroke are as far apart
const CROWD = 24; // pieces near each other: with more, it is no writing, and order alone decides

const MARK = Math.log(0.3); // the score of a dot or a dash, which may be part of a digit
const CUT = 0.5; // what a cut costs, as a logarithm of confidence
const SLIM = 0.7; // a digit's width, in its heights, that nothing speaks against
const WIDE = 0.5; // how much speaks against a digit that is one height wider than that
const LEAD = 10; // as in digits/reading/recognition.py

/** Clusters of strokes near each other, each with its candidates; see `candidatesOf`. */
export function segment(strokes) {
  const height = writingHeight(strokes.map((stroke) => boundsOf([smooth(stroke)])));
  const pieces = strokes.flatMap((stroke, number) => cut(stroke, number, height));
  const near = (one, other) =>
    one.stroke === other.stroke || stacked(one, other, height) || gap(one, other, NEAR * height) < NEAR * height;
  const clusters = [];
  const left = new Set(pieces.keys());
  for (const first of left) {
    const members = [first];
    for (const i of members) {
      left.delete(i);
      for (const j of left) if (near(pieces[i], pieces[j]) && !members.includes(j)) members.push(j);
    }
    clusters.push(candidatesOf(members.sort((a, b) => a - b).map((i) => pieces[i]), height));
  }
  return { clusters, height };
}

// --------------------------------------------------------------- candidates

/** {pieces, groups}: a group is {members, lines, box, key, cost, mark}; marks are no digits. */
function candidatesOf(pieces, height) {
  const groups = [];
  const add = (members, mark) => {
    const parts = members.map((i) => pieces[i]);
    const cost = parts.filter((part, n) => !part.first && pieces[members[n] - 1] !== parts[n - 1]).length;
    groups.push({ members, parts, lines: joined(parts), box: boundsOf(parts.map((part) => part.line)), cost, mark });
  };
  pieces.forEach((_, i) => {
    for (let j = i; j < pieces.length; j++) {
      const run = pieces.slice(i, j + 1);
      const strokes = new Set(run.map((piece) => piece.stroke)).size;
      if (strokes > STROKES || (strokes > 1 && !fits(run, height))) break;
      const members = run.map((_, n) => i + n);
      const mark = markOf(run, height);
      if (mark || (hangsTogether(run, height) && !run.every((piece) => markOf([piece], height)))) add(members, mark);
      if (pieces.length > CROWD) continue;
      for (let k = j + 2; k < pieces.length; k++) {
        const late = pieces[k];
        if (late.first && late.last && fits([...run, late], height) && run.some((piece) => gap(piece, late, 0) <= 0)) {
          add([...members, k], markOf([...run, late], height));
        }
      }
    }
  });
  const crosses = groups.filter(({ mark }) => mark === "times"); // no stroke of one is a 1
  const isPart = (group) => crosses.some((one) => one !== group && group.members.every((i) => one.members.includes(i)));
  return { pieces, groups: groups.filter((group) => !isPart(group)) };
}

/** The lines of pieces; pieces of one stroke that follow each other are one line again. */
function joined(parts) {
  const lines = [];
  parts.forEach((part, n) => {
    const before = parts[n - 1];
    if (before?.stroke === part.stroke) lines.push([...lines.pop(), ...part.line.slice(1)]);
    else lines.push(part.line);
  });
  return lines;
}

/** Whether pieces together are as large as a digit may be, or hardly larger than the largest of them. */
function fits(run, height) {
  const sizes = run.map(({ box }) => [box.right - box.left, box.bottom - box.top]);
  const widest = Math.max(...sizes.map(([width]) => width));
  const tallest = Math.max(height, ...sizes.map(([, height]) => height));
  const { left, top, right, bottom } = boundsOf(run.map((piece) => piece.line));
  return right - left < Math.max(WIDEST * tallest, HARDLY * widest) && bottom - top < TALLEST * tallest;
}

function hangsTogether(run, height) {
  const reached = [run[0]];
  const left = new Set(run.slice(1));
  for (const piece of reached) {
    for (const other of left) {
      if (piece.stroke === other.stroke || areNear(piece, other, height)) {
        reached.push(other);
        left.delete(other);
      }
    }
  }
  return !left.size;
}

/** Whether two strokes may be parts of one digit. A dot, a dash or a comma beside a digit touches it. */
function areNear(one, other, height) {
  if (stacked(one, other, height)) return true;
  if (isMinus(one, other, height) || isMinus(other, one, height)) return false;
  const mark = markOf([one], height) || markOf([other], height) || hangs(one, other, height) || hangs(other, one, height);
  return gap(one, other, NEAR * height) < (mark ? TOUCH : NEAR) * height;
}

/** Whether a dash stands beside a digit, at half its height, though they may touch. */
function isMinus(dash, { box }, height) {
  if (markOf([dash], height) !== "dash" || box.bottom - box.top < 0.5 * height) return false;
  const overlap = Math.min(dash.box.right, box.right) - Math.max(dash.box.left, box.left);
  const level = ((dash.box.top + dash.box.bottom) / 2 - box.top) / (box.bottom - box.top);
  return overlap < dash.line[0].width && Math.abs(level - 0.5) < 0.25;
}

/** Whether something small hangs at the foot of a digit, as a comma does. */
export function hangs({ box }, { box: other }, height) {
  const high = other.bottom - other.top;
  const low = box.top > other.top + 0.6 * high && box.top < other.bottom + 0.2 * high;
  return box.bottom - box.top < COMMA * height && high > COMMA * height && low;
}

/** Whether one lies above the other, as the bar over a 5. */
function stacked({ box: a }, { box: b }, height) {
  const overlap = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const apart = Math.max(a.top, b.top) - Math.min(a.bottom, b.bottom);
  return overlap > 0.5 * Math.min(a.right - a.left, b.right - b.left) && apart < 2 * NEAR * height;
}

/** What strokes are instead of a digit: "dot", "dash", "plus", "times", "equals" or null. */
function markOf(run, height) {
  if (run.length === 1 && run[0].link) return "link";
  if (!run.every((piece) => piece.first && piece.last) || run.length > 2) return null;
  const [one, other] = run.map(({ line, box }) => {
    const { length, chord, across, down } = measure(line);
    const size = Math.max(box.right - box.left, box.bottom - box.top);
    const straight = chord > STRAIGHT * length;
    const [dx, dy] = [Math.abs(across), Math.abs(down)];
    const long = length > LONG * line[0].width;
    return { box, long, length, size, straight, falls: across * down > 0, level: dy < FLAT * dx, upright: dx < FLAT * dy };
  });
  if (!other) {
    if (one.straight && one.level && one.long) return "dash";
    return one.size < SMALL * height ? "dot" : null;
  }
  const alike = Math.min(one.length, other.length) > 0.5 * Math.max(one.length, other.length);
  if (!alike || !one.straight || !other.straight) return null;
  if (one.level && other.level) return stacked(run[0], run[1], height) && gap(run[0], run[1], Infinity) > 0 ? "equals" : null;
  const [level, upright] = one.level ? [one, other] : [other, one];
  const slanted = ![one, other].some(({ level, upright }) => level || upright) && one.falls !== other.falls;
  if (!slanted && !(level.level && upright.upright)) return null;
  const share = (x, low, high) => Math.abs((x - low) / (high - low) - 0.5) < 0.25;
  const across = share((upright.box.left + upright.box.right) / 2, level.box.left, level.box.right);
  const down = share((level.box.top + level.box.bottom) / 2, upright.box.top, upright.box.bottom);
  return across && down ? (slanted ? "times" : "plus") : null;
}

/** The length of a line, that from end to end, and how far its end lies to the right and below. */
export function measure(line) {
  const step = (p, i) => (i ? Math.hypot(p.x - line[i - 1].x, p.y - line[i - 1].y) : 0);
  const [across, down] = [line.at(-1).x - line[0].x, line.at(-1).y - line[0].y];
  return { length: line.reduce((sum, p, i) => sum + step(p, i), 0), chord: Math.hypot(across, down), across, down };
}

// --------------------------------------------------------------- best cover

/** The score of a candidate, with the probabilities that the model gives it. */
export function scoreOf({ box, cost, mark, members }, probabilities) {
  if (mark) return mark === "dot" || mark === "dash" ? MARK : 0;
  const wide = Math.max(0, (box.right - box.left) / (box.bottom - box.top) - SLIM);
  return Math.log(Math.max(...probabilities, 1e-9)) - WIDE * wide - CUT * cost;
}

/** The best cover of a cluster's pieces: {groups, certainty}. Groups have scores. */
export function bestCover({ pieces, groups }) {
  const starting = pieces.map((_, i) => groups.filter(({ members }) => members[0] === i));
  const known = new Map();
  /** The best covers of what is left from piece `i` on, by their number of groups. */
  function covers(i, taken) {
    while (taken.includes(i)) i++;
    if (i >= pieces.length) return new Map([[0, { score: 0, groups: [] }]]);
    const later = taken.filter((k) => k > i);
    const key = [i, ...later].join();
    if (known.has(key)) return known.get(key);
    const best = new Map();
    for (const group of starting[i]) {
      if (group.members.some((k) => later.includes(k))) continue;
      for (const [count, rest] of covers(i + 1, [...later, ...group.members.slice(1)].sort((a, b) => a - b))) {
        const score = group.score + rest.score;
        const digits = count + (group.mark !== "link");
        if (!(best.get(digits)?.score >= score)) best.set(digits, { score, groups: [group, ...rest.groups] });
      }
    }
    known.set(key, best);
    return best;
  }
  const all = [...covers(0, []).values()];
  const best = all.reduce((a, b) => (b.score > a.score ? b : a));
  const certainty = 1 / all.reduce((sum, { score }) => sum + Math.exp(LEAD * (score - best.score)), 0);
  return { groups: best.groups, certainty };
}
