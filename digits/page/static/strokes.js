// Reading of a drawing: strokes -> candidates -> the model's probabilities -> lines of digits.
//
// The answer is as the server gives it for a picture, in units of the plane that is drawn on; signs
// among the digits are read by their shape. What else stands near digits is a `·` among them, and
// makes the answer unsure.

import { boundsOf, digitImage } from "./digit_image.js";
import { bestCover, hangs, measure, scoreOf, segment } from "./segmentation.js";

export const UNSURE = 0.9; // confidence: an answer with less is marked
const DIGIT = 0.35; // confidence: with less it is no digit
const AMONG = 0.85; // mean confidence, with five votes for digits: with less it is other writing
const UNREAD = 0.5; // what ink that is not read leaves of the confidence
const OTHER = 0.5; // and a 1 that may be another sign
const LEAN = 17; // degrees: a 1 leans less than a slash
const BOW = [0.1, 0.4]; // of its height: a parenthesis is so much bent, and most in the middle
const TINY = 60; // units of the plane: so small a stroke by itself may be anything
const GAP = 0.7; // heights of a digit between two groups of a line, at least
const NEXT_TO = 2; // heights of the writing: a sign is no further from a digit

const KEPT = 5000; // answers of the model
let known = new Map(); // what was asked -> {seen, probabilities}
let knownBy = null; // the model that answered
const numbers = new WeakMap(); // of strokes
let count = 0;

/** Read strokes, lists of {x, y, width}; `predict` makes probabilities of images. */
export async function readStrokes(strokes, predict) {
  const { clusters, height } = segment(strokes);
  await ask(clusters.flatMap(({ groups }) => groups.filter((group) => !group.mark)), predict);
  const covers = clusters.map((cluster) => {
    for (const group of cluster.groups) group.score = scoreOf(group, group.probabilities ?? []);
    return bestCover(cluster);
  });
  return answerOf(covers, height);
}

async function ask(groups, predict) {
  if (knownBy !== predict || known.size > KEPT) [known, knownBy] = [new Map(), predict];
  const asked = groups.filter((group) => !known.has((group.key = keyOf(group))));
  const images = asked.map(({ lines }) => digitImage(lines));
  const probabilities = await predict(images);
  asked.forEach(({ key }, i) => known.set(key, { seen: images[i], probabilities: probabilities[i] }));
  groups.forEach((group) => Object.assign(group, known.get(group.key)));
}

function keyOf({ parts }) {
  const number = (stroke) => numbers.get(stroke) ?? numbers.set(stroke, ++count).get(stroke);
  return parts.map(({ source, line, part }) => [number(source), part, line.length].join()).join(";");
}

function answerOf(covers, height) {
  const found = covers.flatMap(({ groups, certainty }) =>
    groups.filter(({ mark }) => mark !== "link").map((group) => ({ ...group, certainty })),
  );
  const written = found.filter(({ mark }) => !mark);
  for (const group of written) {
    group.confidence = Math.max(...group.probabilities);
    group.digit = group.probabilities.indexOf(group.confidence);
    group.other = group.digit === 1 ? otherThanOne(group, height) : null;
  }
  const votes = written.reduce((sum, { confidence }) => sum + (confidence < DIGIT ? 0 : confidence), 5);
  const digits = votes < AMONG * (5 + written.length) ? [] : written.filter(({ confidence }) => confidence >= DIGIT);
  for (const group of digits) if (isComma(group, digits, height)) group.mark = "comma";
  const read = digits.filter(({ mark }) => !mark);
  for (const group of read) group.confidence *= group.other ? OTHER : 1;
  const lines = linesOf(read, height);
  for (const group of found) if (!read.includes(group)) insert(group, lines, height);
  for (const line of lines) nameSigns(line, read);
  const [ordered, others] = [true, false].map((wanted) => lines.flat().filter((group) => read.includes(group) === wanted));
  const unread = others.filter(({ text }) => text === UNKNOWN);
  const product = (factors) => factors.reduce((a, b) => a * b, 1);
  const confidence = !read.length ? 0 : product([
    ...ordered.map((group) => group.confidence),
    ...covers.filter(({ groups }) => groups.some(({ mark }) => !mark)).map(({ certainty }) => certainty),
    ...unread.map(() => UNREAD),
  ]);
  return {
    digits: ordered.map(({ digit }) => digit).join(""),
    lines: lines.map((line) => groupsOf(line).map((group) => ({ digits: group.map(textOf).join("") }))),
    boxes: ordered.map((group) => ({
      box: asBox(group.box),
      digit: group.digit,
      other: group.other,
      confidence: group.confidence,
      probabilities: group.probabilities,
      certainty: group.certainty,
      unsure: group.certainty * group.confidence < UNSURE,
      seen: group.seen,
    })),
    signs: others.filter(({ text }) => text !== UNKNOWN).map(({ box, text }) => ({ box: asBox(box), text })),
    unread: unread.map(({ box }) => ({ box: asBox(box) })),
    confidence,
    unsure: confidence < UNSURE,
    place: { x: 0, y: 0, scale: 1 },
  };
}

const textOf = ({ text, digit }) => text ?? digit;
const asBox = ({ left, top, right, bottom }) => [left, top, right - left, bottom - top];
const middle = ({ box }) => (box.left + box.right) / 2;

// -------------------------------------------------------------------- signs

const UNKNOWN = "·";
const SIGNS = { dot: ".", dash: "−", plus: "+", times: "×", equals: "=", comma: ",", colon: ":" };

/** What a stroke may be that looks like a 1: a slash, a parenthesis, a comma; or null. */
function otherThanOne({ parts, box }, height) {
  const [{ line, first, last }] = parts;
  if (parts.length > 1 || !first || !last) return null;
  if (Math.max(height, box.bottom - box.top) < TINY) return ",";
  const { length, chord, across, down } = measure(line);
  const lean = (Math.atan2(-across * Math.sign(down), Math.abs(down)) * 180) / Math.PI;
  const away = line.map((p) => ((p.x - line[0].x) * down - (p.y - line[0].y) * across) / (chord || 1));
  const bow = away.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
  const place = along(line, line[away.indexOf(bow)], across, down);
  const [least, most] = BOW.map((share) => share * chord);
  if (Math.abs(bow) > least && Math.abs(bow) < most && Math.abs(place - 0.5) < 0.2) return bow * down < 0 ? "(" : ")";
  return chord > 0.9 * length && lean > LEAN ? "/" : null;
}

const along = ([start], p, across, down) =>
  ((p.x - start.x) * across + (p.y - start.y) * down) / (across ** 2 + down ** 2 || 1);

function isComma(group, digits, height) {
  const { length, chord } = measure(group.parts[0].line);
  const apart = ({ box }) => Math.max(box.left - group.box.right, group.box.left - box.right);
  const simple = group.parts.length === 1 && chord > 0.7 * length;
  return simple && digits.some((other) => hangs(group, other, height) && apart(other) < height);
}

/** Say what each sign of a line is, by its shape and where it stands; two dots are a colon. */
function nameSigns(line, read) {
  const digits = line.filter((group) => read.includes(group));
  const { top, bottom } = extent(digits);
  line.forEach((group, i) => {
    if (digits.includes(group)) return;
    const level = ((group.box.top + group.box.bottom) / 2 - top) / (bottom - top);
    const next = line[i + 1];
    if (group.mark === "dot" && next?.mark === "dot" && middle(next) - middle(group) < 0.15 * (bottom - top)) {
      group.box = extent([group, next]);
      group.mark = "colon";
      line.splice(i + 1, 1);
    }
    const over = digits.some(({ box }) => middle(group) > box.left && middle(group) < box.right);
    const [from, to] = { dot: [0.6, 1.2], comma: [0.6, 1.5] }[group.mark] ?? [0.1, 0.9];
    group.text = !over && level > from && level < to ? SIGNS[group.mark] ?? UNKNOWN : UNKNOWN;
  });
}

// -------------------------------------------------------------------- lines

/** Lines from top to bottom: a digit follows the line whose last three overlap it most in height. */
function linesOf(digits, height) {
  const lines = [];
  const low = ({ box }) => box.bottom - box.top < 0.5 * height;
  const sorted = [...digits].sort((a, b) => low(a) - low(b) || middle(a) - middle(b));
  for (const digit of sorted) {
    const overlaps = lines.map((line) => {
      const ends = extent(line.filter((one) => !low(one)).slice(-3).concat(line.filter(low).slice(0, 1)));
      const common = Math.min(ends.bottom, digit.box.bottom) - Math.max(ends.top, digit.box.top);
      return common / Math.min(ends.bottom - ends.top, digit.box.bottom - digit.box.top);
    });
    const best = overlaps.indexOf(Math.max(...overlaps));
    if (overlaps[best] > 0.4) lines[best].push(digit);
    else lines.push([digit]);
  }
  const level = (line) => line.reduce((sum, { box }) => sum + box.top + box.bottom, 0) / line.length;
  for (const line of lines) line.sort((a, b) => middle(a) - middle(b));
  return lines.sort((a, b) => level(a) - level(b));
}

const extent = (groups) => boundsOf(groups.flatMap(({ lines }) => lines));

/** Put what is no digit into the line that it stands in. Tells whether there is one. */
function insert(group, lines, height) {
  const away = (low, high, start, end) => Math.max(0, start - high, low - end);
  for (const line of lines) {
    const near = line.some(({ box, mark }) => {
      const [across, down] = [
        away(group.box.left, group.box.right, box.left, box.right),
        away(group.box.top, group.box.bottom, box.top, box.bottom),
      ];
      return !mark && across < NEXT_TO * height && down < 0.3 * height;
    });
    if (!near) continue;
    line.push(group);
    line.sort((a, b) => middle(a) - middle(b));
    return true;
  }
  return false;
}

/** Part a line at its wide gaps: wider than GAP, and than twice the median of the others. */
function groupsOf(line) {
  const heights = line.filter(({ mark }) => !mark).map(({ box }) => box.bottom - box.top).sort((a, b) => a - b);
  const height = heights[heights.length >> 1];
  const gaps = line.slice(1).map(({ box }, i) => box.left - line[i].box.right);
  const groups = [[line[0]]];
  gaps.forEach((gap, i) => {
    const others = gaps.filter((_, n) => n !== i).sort((a, b) => a - b);
    const median = others.length ? others[(others.length - 1) >> 1] : 0;
    const wide = gap > Math.max(GAP * height, 2 * median);
    if (wide && !line[i].text && !line[i + 1].text) groups.push([]); // a sign stands in its gap
    groups.at(-1).push(line[i + 1]);
  });
  return groups;
}
