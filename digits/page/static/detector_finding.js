// From the network's maps to digits, as digits/reading/detector/finding.py does it: peaks are
// digits, and their pixels those that vote for them.

import { edgeGrey } from "./grey.js";
import { above, blurred, boundingBox, components, cropped, extremes, quantile, resized, rounded } from "./images.js";
import { normalizeDigit } from "./normalization.js";

const sigmoid = (logit) => 1 / (1 + Math.exp(-logit));
const clipped = (value, low, high) => Math.min(high, Math.max(low, value));

/**
 * What the network sees in a picture, {values: grey, width, height}, at several sizes; all lie
 * beside each other in one sheet. Not `closely`, the largest is left out. `detector` is that of
 * detector_network.js.
 */
export function look(image, { settings, see }, progress, closely = true) {
  const { finding, network } = settings;
  const all = scalesOf(image, finding);
  const scales = closely || all.length === 1 ? all : all.slice(1);
  const greys = scales.map((scale) => (scale === 1 ? image : scaled(image, scale)));
  const edge = edgeGrey(image);
  const rooms = greys.map((grey) => contrastOf(withMargin(grey, edge, finding.MARGIN), network));
  const { corners, width, height } = packed(rooms, network.STRIDE);
  const sheet = new Float32Array(2 * width * height);
  rooms.forEach((room, i) => {
    const [row, { x, y }] = [2 * room.width, corners[i]];
    for (let v = 0; v < room.height; v++) sheet.set(room.values.subarray(v * row, (v + 1) * row), 2 * ((y + v) * width + x));
  });
  const maps = see(sheet, height, width, progress);
  return greys.map((grey, i) => levelOf(scales[i], grey, corners[i].x + finding.MARGIN, corners[i].y + finding.MARGIN, maps, network));
}

function scalesOf({ width, height }, { FEW, SMALLEST, STEP }) {
  const scales = [];
  for (let scale = width * height < FEW ? 2 : 1; Math.max(width, height) * scale >= SMALLEST && Math.min(width, height) * scale >= 6; scale /= STEP) {
    scales.push(scale);
  }
  return scales.length ? scales : [1];
}

const scaled = (image, scale) =>
  resized(image, ...[image.width, image.height].map((side) => Math.max(1, rounded(side * scale))));

function withMargin({ values, width, height }, edge, margin) {
  const [more, below] = [width, height].map((side) => margin + ((8 - (side % 8)) % 8));
  const room = { width: margin + width + more, height: margin + height + below };
  room.values = new Uint8Array(room.width * room.height).fill(edge);
  for (let y = 0; y < height; y++) room.values.set(values.subarray(y * width, (y + 1) * width), (margin + y) * room.width + margin);
  return room;
}

/** How a picture differs from what is around each pixel, at two scales: two values a pixel. */
function contrastOf({ values: grey, width, height }, { SCALES, FAINTEST }) {
  const size = width * height;
  const [image, difference, squared] = [0, 0, 0].map(() => new Float32Array(size));
  const contrast = new Float32Array(2 * size);
  for (let i = 0; i < size; i++) image[i] = grey[i] / 255;
  SCALES.forEach((side, n) => {
    const twice = (values) => blurred(blurred({ values, width, height }, side), side).values;
    const mean = twice(image);
    for (let i = 0; i < size; i++) squared[i] = (difference[i] = image[i] - mean[i]) ** 2;
    const variance = twice(squared);
    for (let i = 0; i < size; i++) {
      const half = (0.5 * difference[i]) / Math.sqrt(variance[i] + FAINTEST ** 2);
      contrast[2 * i + n] = half < -2 ? -2 : half > 2 ? 2 : half;
    }
  });
  return { values: contrast, width, height };
}

/** Where rooms, the largest first, lie in a sheet: each beside or below the one before it. */
function packed(rooms, stride) {
  const corners = [{ x: 0, y: 0 }];
  rooms.slice(0, -1).forEach(({ width, height }, n) => {
    const { x, y } = corners[n];
    corners.push(n % 2 ? { x, y: y + height } : { x: x + width, y });
  });
  const end = (side, from) => stride * Math.ceil(Math.max(...rooms.map((room, i) => corners[i][from] + room[side])) / stride);
  return { corners, width: end("width", "x"), height: end("height", "y") };
}

/** What is seen of one size, which begins at x and y of the sheet. */
function levelOf(scale, grey, x, y, { centre, ink }, { USUAL, REACH }) {
  const cell = (map, side) => (v, u, c) => map.values[((y / side + v) * map.width + x / side + u) * map.channels + c];
  const [coarse, half] = [cell(centre, 4), cell(ink, 2)];
  const [width, height] = [Math.floor(grey.width / 4) + 1, Math.floor(grey.height / 4) + 1];
  const heat = { width, height, values: new Float32Array(width * height).map((_, i) => sigmoid(coarse((i / width) | 0, i % width, 0))) };
  const [lastX, lastY] = [Math.floor(grey.width / 2), Math.floor(grey.height / 2)];
  const finer = (v, u, c) => { // between the four cells around it
    const [top, left] = [(v - 1) >> 1, (u - 1) >> 1];
    const row = (at) => {
      const value = (side) => half(clipped(at, 0, lastY), clipped(side, 0, lastX), c);
      return u % 2 ? 0.75 * value(left) + 0.25 * value(left + 1) : 0.25 * value(left) + 0.75 * value(left + 1);
    };
    return v % 2 ? 0.75 * row(top) + 0.25 * row(top + 1) : 0.25 * row(top) + 0.75 * row(top + 1);
  };
  return {
    scale,
    grey,
    heat,
    size: (row, column) => [1, 2].map((c) => USUAL * Math.exp(clipped(coarse(row, column, c), -2, 2))),
    ink: (v, u) => sigmoid(half(v >> 1, u >> 1, 2 * (v % 2) + (u % 2))),
    other: (v, u) => sigmoid(finer(v, u, 4)),
    way: (v, u) => ({ down: REACH * finer(v, u, 5), right: REACH * finer(v, u, 6) }),
  };
}

/** What may be digits, the surest first: {heat, again: heat at another size, level, x, y, width, height}, in pixels. */
export function peaks(levels, { PEAK, SIZES, BEST, MISFIT, OVERLAP }) {
  const found = [];
  levels.forEach(({ heat, size, scale }, level) => {
    const top = extremes(heat, true).values;
    heat.values.forEach((value, i) => {
      if (value <= PEAK || value !== top[i]) return;
      const [row, column] = [Math.floor(i / heat.width), i % heat.width];
      const [height, width] = size(row, column);
      const longest = Math.max(height, 0.8 * width);
      if (longest < SIZES[0] || longest > SIZES[1]) return;
      const { x, y } = middleOf(heat, row, column);
      const rank = value - MISFIT * Math.abs(Math.log(longest / BEST));
      found.push({ rank, heat: value, level, x: x / scale, y: y / scale, width: width / scale, height: height / scale });
    });
  });
  const kept = [];
  for (const peak of found.sort((a, b) => b.rank - a.rank)) {
    const same = kept.filter((other) => areSame(peak, other, OVERLAP));
    for (const other of same) if (other.level !== peak.level) other.again = Math.max(other.again, peak.heat);
    if (!same.length) kept.push({ ...peak, again: 0 });
  }
  return kept;
}

/** The centre of mass of the 3x3 cells around a peak, in pixels. */
function middleOf({ values, width, height }, row, column) {
  let [mass, x, y] = [0, 0, 0];
  for (let v = Math.max(0, row - 1); v < Math.min(height, row + 2); v++) {
    for (let u = Math.max(0, column - 1); u < Math.min(width, column + 2); u++) {
      const value = values[v * width + u];
      [mass, x, y] = [mass + value, x + u * value, y + v * value];
    }
  }
  return { x: (4 * x) / mass + 2, y: (4 * y) / mass + 2 };
}

function areSame(one, other, [ofBoth, ofTheSmaller]) {
  const common = (at, side) =>
    Math.max(0, Math.min(one[at] + one[side] / 2, other[at] + other[side] / 2) - Math.max(one[at] - one[side] / 2, other[at] - other[side] / 2));
  const shared = common("x", "width") * common("y", "height");
  const [a, b] = [one.width * one.height, other.width * other.height];
  const near =
    Math.abs(one.x - other.x) < 0.3 * Math.min(one.width, other.width, one.height) &&
    Math.abs(one.y - other.y) < 0.35 * Math.min(one.height, other.height);
  return near || shared > ofBoth * (a + b - shared) || shared > ofTheSmaller * Math.min(a, b);
}

/**
 * A digit as MNIST has them, {image, box, ink, other}: box in pixels of the picture, and how surely
 * its pixels are ink of a digit, or of other writing. Null if no ink is left of it.
 */
export function cutOut(peak, levels, others, { finding, normalization }) {
  const { scale, grey, ink: inkAt, other: otherAt, way } = levels[peak.level];
  const ends = (middle, reach, most) => [-1, 1].map((side) => Math.trunc((middle + side * reach) * scale + 5 * side) + (side + 1) / 2).map((end) => clipped(end, 0, most));
  const [left, right] = ends(peak.x, 0.85 * peak.width, grey.width);
  const [top, bottom] = ends(peak.y, 0.75 * peak.height, grey.height);
  if (Math.min(right - left, bottom - top) < 3) return null;
  const part = cropped(grey, { left, top, right, bottom });
  const near = others.filter((other) =>
    other !== peak && Math.abs(other.x - peak.x) < 2 * (peak.width + other.width) && Math.abs(other.y - peak.y) < 1.5 * (peak.height + other.height));
  const reach = (0.6 * Math.max(peak.height, peak.width)) ** 2;
  const mask = { ...part, values: new Uint8Array(part.values.length) };
  const [blank, inked] = [[], []];
  const seen = { ink: 0, other: 0 };
  part.values.forEach((value, i) => {
    const [v, u] = [top + Math.floor(i / part.width), left + (i % part.width)];
    const ink = inkAt(v, u);
    if (ink < finding.PAPER) blank.push(value);
    if (ink <= finding.INKED) return;
    const { down, right } = way(v, u);
    const [y, x] = [(v + 0.5 + down) / scale, (u + 0.5 + right) / scale];
    const from = (other) => (y - other.y) ** 2 + (x - other.x) ** 2;
    const mine = from(peak);
    if (mine >= reach || near.some((other) => from(other) <= mine)) return;
    mask.values[i] = 1;
    inked.push(value);
    seen.ink += ink;
    seen.other += otherAt(v, u);
  });
  if (inked.length < 6) return null;
  const paper = quantile(blank.length > 5 ? blank : part.values, 0.5);
  const contrasts = [0.1, 0.9].map((share) => quantile(inked, share) - paper);
  const full = contrasts[Math.abs(contrasts[1]) > Math.abs(contrasts[0]) ? 1 : 0];
  if (Math.abs(full) < finding.FAINTEST) return null;
  const around = extremes(mask, true).values;
  const solid = { ...part, values: Float32Array.from(part.values, (value, i) => clipped((value - paper) / full, 0, 1) * around[i]) };
  const there = boundingBox(above(solid, finding.LOW));
  if (!there) return null;
  const ink = cropped(solid, there);
  const image = normalizeDigit(above(ink, finding.LOW), ink, normalization);
  const box = [left + there.left, top + there.top, left + there.right, top + there.bottom].map((end) => end / scale);
  return { image, box, ink: seen.ink / inked.length, other: seen.other / inked.length };
}

/** Boxes of writing near digits that is none of them; `height` is that of the digits. */
export function otherWriting(levels, digits, height, { BEST, WRITING, MARK, NEAR }) {
  const misfit = ({ scale }) => Math.abs(Math.log((scale * height) / BEST));
  const level = levels.reduce((best, one) => (misfit(one) < misfit(best) ? one : best));
  const { scale, grey: { width, height: rows }, ink, other } = level;
  let writing = { width, height: rows, values: new Uint8Array(width * rows) };
  writing.values.forEach((_, i, values) => {
    const [v, u] = [Math.floor(i / width), i % width];
    values[i] = ink(v, u) > WRITING || other(v, u) > WRITING;
  });
  const boxes = digits.map((box) => box.map((end) => end * scale));
  for (const [left, top, right, bottom] of boxes.map((box) => box.map(rounded))) {
    for (let v = Math.max(0, top - 1); v <= Math.min(rows - 1, bottom); v++) {
      writing.values.fill(0, v * width + Math.max(0, left - 1), v * width + Math.min(width, right + 1));
    }
  }
  const radius = rounded(0.1 * scale * height);
  for (const larger of [true, false]) for (let i = 0; i < radius; i++) writing = extremes(writing, larger);
  const middles = boxes.map(([left, top, right, bottom]) => [(left + right) / 2, (top + bottom) / 2]);
  return components(writing)
    .filter(({ left, top, right, bottom }) => {
      const [x, y] = [(left + right) / 2, (top + bottom) / 2];
      const away = Math.min(...middles.map(([a, b]) => Math.max(Math.abs(a - x), Math.abs(b - y))));
      return Math.max(right - left, bottom - top) > MARK * scale * height && away < NEAR * scale * height;
    })
    .map(({ left, top, right, bottom }) => [left, top, right, bottom].map((end) => end / scale));
}
