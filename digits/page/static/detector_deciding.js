// Which of what was found are digits, how surely, and how surely none was left out: as digits/
// reading/detector/deciding.py does it. The answer is as the server gives it.

import { cutOut, look, peaks } from "./detector_finding.js";
import { quantile, rounded } from "./images.js";
import { groupsOf, linesOf, slopeOf } from "./lines.js";

/**
 * Read a page, {values: grey, width, height}; `detector` is that of detector_network.js, and
 * `predict` makes the ten probabilities of 784 grey values. Boxes are in pixels of the page.
 */
export function readPage(page, detector, predict, progress) {
  const { settings } = detector;
  const { turns, candidates } = upright(page, detector, predict, progress);
  const { digits, nearly } = decide(candidates, settings);
  const asBox = (box) => placeOf(turnedBack(box, page, turns));
  const read = inLines(digits, settings).map((line) => groupsOf(line, settings.results));
  const boxes = read.flat(2).map(({ digit, box, image, probabilities }) => {
    const confidence = Math.max(...probabilities);
    const answer = { box: asBox(box), digit, confidence, probabilities, certainty: 1 };
    return { ...answer, unsure: confidence < settings.results.UNSURE, seen: Array.from(image) };
  });
  const doubts = [
    ...digits.map(({ chance, probabilities }) => Math.min(1, chance / Math.max(...probabilities))),
    ...nearly.map(({ chance }) => 1 - chance),
    ...boxes.map(({ confidence }) => confidence),
  ];
  const confidence = boxes.length ? doubts.reduce((a, b) => a * b) : 0;
  return {
    digits: boxes.map(({ digit }) => digit).join(""),
    confidence,
    unsure: confidence < settings.results.UNSURE,
    lines: read.map((groups) => groups.map((group) => ({ digits: group.map(({ digit }) => digit).join("") }))),
    boxes,
    unread: nearly.map(({ box }) => ({ box: asBox(box) })),
  };
}

/** A page turned so that most of it is read: how often to the left, and what may be digits there. */
function upright(page, detector, predict, progress) {
  const look = (turns) => ({ turns, candidates: candidatesOn(turned(page, turns), detector, predict, progress) });
  const sum = ({ candidates }) => candidates.reduce((total, { chance }) => total + chance, 0);
  let best = look(0);
  if (sum(best) > best.candidates.length / 2) return best;
  for (const turns of [1, 3, 2]) {
    const other = look(turns);
    if (sum(other) > detector.settings.deciding.CLEAR * sum(best) + 1) best = other;
  }
  return best;
}

/** An image turned to the left by right angles. */
function turned({ values, width, height }, turns) {
  if (!turns) return { values, width, height };
  const image = { values: new Uint8Array(values.length), width: height, height: width };
  for (let y = 0; y < image.height; y++) {
    for (let x = 0; x < image.width; x++) image.values[y * image.width + x] = values[x * width + width - 1 - y];
  }
  return turned(image, turns - 1);
}

/** A box [left, top, right, bottom] on a page that was turned, as it lies on the page itself. */
function turnedBack([left, top, right, bottom], { width, height }, turns) {
  if (!turns) return [left, top, right, bottom];
  const across = turns % 2 ? width : height; // of the page that was turned last
  return turnedBack([across - bottom, left, across - top, right], { width, height }, turns - 1);
}

/** [x, y, width, height] in whole pixels. */
function placeOf([left, top, right, bottom]) {
  const [x, y] = [Math.max(0, left), Math.max(0, top)];
  return [rounded(x), rounded(y), Math.max(1, rounded(right - x)), Math.max(1, rounded(bottom - y))];
}

/** What may be digits: {image, box, heat, probabilities, digit, chance, height}. */
export function candidatesOn(page, detector, predict, progress) {
  const levels = look(page, detector, progress);
  const found = peaks(levels, detector.settings.finding);
  return found.flatMap((peak) => {
    const cut = cutOut(peak, levels, found, detector.settings);
    if (!cut) return [];
    const probabilities = predict(cut.image);
    const confidence = Math.max(...probabilities);
    const [left, top, right, bottom] = cut.box;
    const height = Math.max(bottom - top, 0.5 * (right - left));
    const chance = chanceOf(peak.heat, confidence, detector.settings.calibration);
    return [{ ...cut, heat: peak.heat, probabilities, digit: probabilities.indexOf(confidence), chance, height }];
  });
}

/** The probability that a peak is a digit: logistic regression on both logits. */
function chanceOf(heat, confidence, [ofHeat, ofConfidence, bias]) {
  const logit = (p, share = Math.min(1 - 1e-4, Math.max(1e-4, p))) => Math.log(share / (1 - share));
  return 1 / (1 + Math.exp(-(ofHeat * logit(heat) + ofConfidence * logit(confidence) + bias)));
}

/** Which are digits, and which nearly are. */
function decide(candidates, { deciding: { UNLIKE, NEARLY } }) {
  let digits = candidates.filter(({ chance }) => chance > 0.5);
  if (digits.length > 1) {
    const half = digits.reduce((sum, { chance }) => sum + chance, 0) / 2;
    let upto = 0;
    const usual = [...digits].sort((a, b) => a.height - b.height).find(({ chance }) => (upto += chance) >= half).height;
    digits = digits.filter(({ height }) => height > usual / UNLIKE && height < usual * UNLIKE);
  }
  return { digits, nearly: candidates.filter((one) => !digits.includes(one) && one.chance > NEARLY) };
}

/** Digits line by line, in reading order, each with its place: x, y, width, height. */
function inLines(digits, settings) {
  if (!digits.length) return [];
  const things = digits.map((digit) => {
    const [left, top, right, bottom] = digit.box;
    const [width, height] = [right - left, bottom - top].map((side) => Math.max(1, rounded(side)));
    return { ...digit, x: rounded(left), y: rounded(top), width, height };
  });
  const height = quantile(things.map((thing) => thing.height), 0.5);
  const slope = slopeOf(things, height, { ...settings.geometry, ...settings.lines });
  for (const thing of things) thing.y = rounded(thing.y - slope * (thing.x + thing.width / 2));
  return linesOf(things, height);
}
