// Which of what was found are digits, how surely, and how surely none was left out: as digits/
// reading/detector/deciding.py does it. The answer is as the server gives it.

import { cutOut, look, otherWriting, peaks } from "./detector_finding.js";
import { rounded } from "./images.js";
import { groupsOf, linesOf, slopeOf } from "./lines.js";

/**
 * Read a page, {values: grey, width, height}; `detector` is that of detector_network.js, and
 * `predict` makes the ten probabilities of 784 grey values. Boxes are in pixels of the page.
 */
export function readPage(page, detector, predict, progress) {
  const { settings } = detector;
  const { turns, levels, candidates } = upright(page, detector, predict, progress);
  const { digits, nearly } = decide(candidates, settings);
  const height = usualHeight(digits);
  const others = digits.length ? otherWriting(levels, digits.map(({ box }) => box), height, settings.finding) : [];
  const asBox = (box) => placeOf(turnedBack(box, page, turns));
  const read = inLines(digits, height, settings).map((line) => groupsOf(line, settings.results));
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
  const most = others.length ? settings.deciding.DOUBTFUL : 1;
  const confidence = boxes.length ? doubts.reduce((a, b) => a * b, most) : 0;
  return {
    digits: boxes.map(({ digit }) => digit).join(""),
    confidence,
    unsure: confidence < settings.results.UNSURE,
    lines: read.map((groups) => groups.map((group) => ({ digits: group.map(({ digit }) => digit).join("") }))),
    boxes,
    unread: [...others, ...nearly.map(({ box }) => box).filter((box) => !others.some((other) => isIn(box, other)))].map(
      (box) => ({ box: asBox(box) })),
  };
}

/** Whether a box has its middle in the other. */
function isIn([left, top, right, bottom], other) {
  const [x, y] = [(left + right) / 2, (top + bottom) / 2];
  return other[0] <= x && x <= other[2] && other[1] <= y && y <= other[3];
}

/** A page turned so that most of it is read: how often to the left, and what is seen there. */
function upright(page, detector, predict, progress) {
  const { CLEAR, LIKE_ONE } = detector.settings.deciding;
  const at = (turns) => ({ turns, ...candidatesOn(turned(page, turns), detector, predict, progress) });
  const read = (candidates) => candidates.reduce((total, { chance }) => total + chance, 0);
  let best = at(0);
  const there = best.candidates.filter(({ heat }) => heat > LIKE_ONE);
  if (there.length && 2 * read(there) >= there.length) return best;
  for (const turns of [1, 3, 2]) {
    const other = at(turns);
    if (read(other.candidates) > CLEAR * read(best.candidates) + 1) best = other;
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

/** {levels, candidates}: what may be digits, {image, box, heat, again, probabilities, digit, chance, height}. */
export function candidatesOn(page, detector, predict, progress) {
  const levels = look(page, detector, progress);
  const found = peaks(levels, detector.settings.finding);
  const candidates = found.flatMap((peak) => {
    const cut = cutOut(peak, levels, found, detector.settings);
    if (!cut) return [];
    const probabilities = predict(cut.image);
    const digit = probabilities.indexOf(Math.max(...probabilities));
    const [left, top, right, bottom] = cut.box;
    const height = Math.max(bottom - top, 0.5 * (right - left));
    const one = { ...cut, heat: peak.heat, again: peak.again, probabilities, digit, height };
    return [{ ...one, chance: chanceOf(one, detector.settings.calibration) }];
  });
  return { levels, candidates };
}

/** The probability that it is a digit and read right: logistic regression. */
function chanceOf({ heat, again, ink, other, probabilities, digit }, weights) {
  const logit = (p, share = Math.min(1 - 1e-4, Math.max(1e-4, p))) => Math.log(share / (1 - share));
  const features = [...[heat, again, ink, other, probabilities[digit]].map((p) => logit(p)), Number(digit === 1), 1];
  return 1 / (1 + Math.exp(-features.reduce((sum, value, i) => sum + value * weights[i], 0)));
}

/** Which are digits, and which nearly are. */
function decide(candidates, { deciding: { UNLIKE, NEARLY } }) {
  let digits = candidates.filter(({ chance }) => chance > 0.5);
  if (digits.length > 1) {
    const usual = usualHeight(digits);
    digits = digits.filter(({ height }) => height > usual / UNLIKE && height < usual * UNLIKE);
  }
  return { digits, nearly: candidates.filter((one) => !digits.includes(one) && one.chance > NEARLY) };
}

/** The median height, of which the surer digits have the larger part. */
function usualHeight(digits) {
  const half = digits.reduce((sum, { chance }) => sum + chance, 0) / 2;
  let upto = 0;
  return [...digits].sort((a, b) => a.height - b.height).find(({ chance }) => (upto += chance) >= half)?.height;
}

/** Digits line by line, in reading order, each with its place: x, y, width, height. */
function inLines(digits, height, { lines, geometry }) {
  const things = digits.map((digit) => {
    const [left, top, right, bottom] = digit.box;
    return { digit, x: left, y: top, width: right - left, height: bottom - top };
  });
  const slope = slopeOf(things, height, { ...geometry, ...lines });
  for (const thing of things) thing.y -= slope * (thing.x + thing.width / 2);
  const placed = ({ digit }) => {
    const [x, y, width, height] = placeOf(digit.box);
    return { ...digit, x, y, width, height };
  };
  return linesOf(things, height).map((line) => line.map(placed));
}
