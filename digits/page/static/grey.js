// From the pixels of a picture to grey values at a size to work at, as digits/data/colours.py and
// digits/reading/geometry.py make them.

import { extremes, quantile, resized, rounded } from "./images.js";

/** {values: grey, width, height} at the size to work at; `data` is RGBA, four bytes a pixel. */
export function pageOf({ data, width, height }, { colours, geometry: { SMALL, PIXELS, LONGEST } }) {
  const grey = { values: greyOf(data, width, height, colours), width, height };
  const longest = Math.max(width, height);
  const most = Math.min(Math.sqrt(PIXELS / (width * height)), LONGEST / longest);
  if (longest < SMALL) return grey; // so few pixels that each counts
  const reduced = () => resized(grey, ...[width, height].map((side) => Math.max(1, rounded(side * most))));
  return withoutDust(most < 1 ? reduced() : grey);
}

/** The luminance (Rec. 601, as Pillow rounds it), or the colour channel of much more contrast. */
function greyOf(data, width, height, { ENOUGH, SAMPLE }) {
  const luminance = new Uint8Array(width * height);
  for (let i = 0, at = 0; i < luminance.length; i++, at += 4) {
    luminance[i] = (19595 * data[at] + 38470 * data[at + 1] + 7471 * data[at + 2] + 0x8000) >> 16;
  }
  const step = Math.max(1, Math.floor(Math.min(width, height) / SAMPLE));
  const contrast = (valueAt) => {
    const values = [];
    for (let y = 0; y < height; y += step) for (let x = 0; x < width; x += step) values.push(valueAt(y * width + x));
    const sorted = Uint8Array.from(values).sort();
    const [dark, light] = [0.002, 0.998].map((part) => sorted[Math.trunc(part * (sorted.length - 1))]);
    return light - dark;
  };
  let [best, most] = [null, ENOUGH * contrast((i) => luminance[i])];
  for (const channel of [0, 1, 2]) {
    const its = contrast((i) => data[4 * i + channel]);
    if (its > most) [best, most] = [channel, its];
  }
  return best === null ? luminance : luminance.map((_, i) => data[4 * i + best]);
}

/** No pixel is darker, or lighter, than all eight around it. */
function withoutDust(image) {
  const [dark, light] = [extremes(image, false, false), extremes(image, true, false)].map(({ values }) => values);
  return { ...image, values: image.values.map((value, i) => Math.min(light[i], Math.max(dark[i], value))) };
}

/** The median of the pixels at the four edges, for what lies beyond them. */
export function edgeGrey({ values, width, height }) {
  const sides = Array.from({ length: height }, (_, y) => [values[y * width], values[(y + 1) * width - 1]]);
  const edges = [...values.subarray(0, width), ...values.subarray(values.length - width), ...sides.flat()];
  return Math.trunc(quantile(edges, 0.5));
}

/** An image turned to the left by right angles; `back` leads from a place on it to the picture. */
export function turned({ image, back }, turns) {
  if (!turns) return { image, back };
  const { values, width, height } = image;
  const next = { values: new Uint8Array(values.length), width: height, height: width };
  for (let y = 0; y < next.height; y++) {
    for (let x = 0; x < next.width; x++) next.values[y * next.width + x] = values[x * width + width - 1 - y];
  }
  return turned({ image: next, back: (x, y) => back(width - y, x) }, turns - 1);
}

/** The same rotated so that lines falling by `slope` are level. */
export function rotated({ image, back }, slope) {
  const { values, width, height } = image;
  const [cos, sin] = [Math.cos(Math.atan(slope)), Math.sin(Math.atan(slope))];
  const [across, down] = [cos * width + Math.abs(sin) * height, Math.abs(sin) * width + cos * height];
  const before = (x, y) => {
    const [u, v] = [x - across / 2, y - down / 2];
    return [cos * u - sin * v + width / 2, sin * u + cos * v + height / 2];
  };
  const next = { width: Math.ceil(across), height: Math.ceil(down) };
  next.values = new Uint8Array(next.width * next.height);
  const beyond = edgeGrey(image);
  const at = (x, y) => (x < 0 || y < 0 || x >= width || y >= height ? beyond : values[y * width + x]);
  for (let i = 0; i < next.values.length; i++) {
    const [x, y] = before(i % next.width, Math.floor(i / next.width));
    const [left, top] = [Math.floor(x), Math.floor(y)];
    const row = (y) => at(left, y) + (x - left) * (at(left + 1, y) - at(left, y));
    next.values[i] = rounded(row(top) + (y - top) * (row(top + 1) - row(top)));
  }
  return { image: next, back: (x, y) => back(...before(x, y)) };
}

/** [x, y, width, height] in the picture, in whole pixels, of a box [left, top, right, bottom]. */
export function inPicture([left, top, right, bottom], back = (x, y) => [x, y]) {
  const corners = [back(left, top), back(right, top), back(left, bottom), back(right, bottom)];
  const [across, down] = [0, 1].map((axis) => corners.map((corner) => corner[axis]));
  const [x, y] = [Math.max(0, Math.min(...across)), Math.max(0, Math.min(...down))];
  return [x, y, Math.max(...across) - x, Math.max(...down) - y].map((side, i) => Math.max(i < 2 ? 0 : 1, rounded(side)));
}
