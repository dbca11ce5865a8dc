// From the ink of a digit on a picture to 28x28 pixels, as digits/data/normalization.py makes them.

import { centred } from "./digit_image.js";
import { above, boundingBox, cropped, extremes, resized, rounded } from "./images.js";

/**
 * `mask` and `ink`, images of the same size, tell a digit's pixels, 0 or 1, and how much ink is
 * there, 0 to 1. Returns 784 grey values, ink 255 on 0.
 */
export function normalizeDigit(mask, ink, settings) {
  const longest = Math.max(mask.width, mask.height);
  if (longest <= settings.GREY) { // as a mask, a small digit would lose its loops
    const around = extremes(mask, true).values;
    return placed({ ...ink, values: ink.values.map((value, i) => Math.min(1, Math.max(0, value)) * around[i]) }, settings);
  }
  const { FIT, STROKE_WIDTH: [thinnest, thickest] } = settings;
  const scale = FIT / longest;
  const width = strokeWidth(mask) * scale;
  const grow = (Math.min(thickest, Math.max(thinnest, width)) - width) / (2 * scale);
  const wide = padded(mask, Math.max(2, Math.ceil(grow) + 2));
  const away = distances(wide, grow > 0 ? 1 : 0); // from the ink, or from the paper
  const clipped = (value) => Math.min(1, Math.max(0, value));
  const solid = wide.values.map((value, i) => (grow > 0 ? clipped(grow + 1 - away[i]) : grow < 0 ? clipped(away[i] + grow) : value));
  return placed({ ...wide, values: solid }, settings);
}

/** In a long stroke, four times the mean distance to the background. */
function strokeWidth(mask) {
  const wide = padded(mask, 1);
  const inside = mask.values.reduce((sum, value) => sum + value, 0);
  return (4 * distances(wide, 0).reduce((sum, value) => sum + value, 0)) / inside - 1;
}

function padded({ values, width, height }, room) {
  const wide = { values: new Float32Array((width + 2 * room) * (height + 2 * room)), width: width + 2 * room, height: height + 2 * room };
  for (let y = 0; y < height; y++) wide.values.set(values.subarray(y * width, (y + 1) * width), (y + room) * wide.width + room);
  return wide;
}

/** How far each pixel is from the nearest whose value is `wanted`; first down, then across. */
function distances({ values, width, height }, wanted) {
  const down = new Float32Array(values.length).fill(width + height);
  for (let x = 0; x < width; x++) {
    for (let pass = 0; pass < 2; pass++) {
      for (let n = 0, last = width + height; n < height; n++) {
        const at = (pass ? height - 1 - n : n) * width + x;
        last = values[at] === wanted ? 0 : last + 1;
        down[at] = Math.min(down[at], last);
      }
    }
  }
  return down.map((_, i) => {
    const [row, x] = [i - (i % width), i % width];
    let best = Infinity;
    for (let u = 0; u < width; u++) best = Math.min(best, (u - x) ** 2 + down[row + u] ** 2);
    return Math.sqrt(best);
  });
}

/** Scale ink of any size to fit 20x20 and put its centre of mass in the middle. */
function placed(solid, { SIDE, FIT }) {
  const found = boundingBox(above(solid, 0.3));
  if (!found) return new Uint8Array(SIDE * SIDE);
  const part = cropped(solid, found);
  const scale = FIT / Math.max(part.width, part.height);
  const size = [part.width, part.height].map((side) => Math.max(1, rounded(side * scale)));
  return centred(resized(part, ...size).values, size, rounded); // as numpy rounds
}
