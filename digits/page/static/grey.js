// From the pixels of a picture to grey values at a size to work at, as digits/data/colours.py and
// digits/reading/geometry.py make them.

import { extremes, resized, rounded } from "./images.js";

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
