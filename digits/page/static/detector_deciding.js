// Which of what was found are digits, how surely, and how surely none was left out: as digits/
// reading/detector/deciding.py does it. The answer is as the server gives it.

import { cutOut, look, otherWriting, peaks } from "./detector_finding.js";
import { inPicture, rotated, turned } from "./grey.js";
import { groupsOf, linesOf, slopeOf } from "./lines.js";

/**
 * Read a page, {values: grey, width, height}; `detector` is that of detector_network.js, and
 * `predict` makes the ten probabilities of 784 grey values. Boxes are in pixels of the page.
 */
export function readPage(page, detector, predict, progress) {
  const { settings } = detector;
  const seen = (turned, closely) => ({ ...turned, ...candidatesOn(turned.image, detector, predict, progress, closely) });
  const asIs = seen({ image: page, back: (x, y) => [x, y] });
  const { back, levels, candidates } = level(upright(asIs, seen, settings), seen, settings);
  const { digits, nearly } = decide(candidates, settings);
  const height = usualHeight(digits);
  const others = digits.length ? otherWriting(levels, digits.map(({ box }) => box), height, settings.finding) : [];
  const asBox = (box) => inPicture(box, back);
  const read = inLines(digits, height, settings).map((line) => groupsOf(line, settings.results));
  const boxes = read.flat(2).map(({ digit, box, image, probabilities }) => {
    const confidence = Math.max(...probabilities);
    const answer = { box: asBox(box), digit, confidence, probabilities, certainty: 1 };
    return { ...answer, unsure: confidence < settings.results.UNSURE, seen: Array.from(image) };
  });
  const product = (parts) => parts.reduce((a, b) => a * b, 1);
  const doubts = [
    ...digits.map(({ chance, probabilities }) => Math.min(1, chance / Math.max(...probabilities))),
    ...nearly.map(({ chance }) => 1 - chance),
  ];
  const certainty = Math.min(product(doubts), others.length ? settings.deciding.DOUBTFUL : 1);
  const confidence = boxes.length ? certainty * product(boxes.map(({ confidence }) => confidence)) : 0;
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

const read = (candidates) => candidates.reduce((total, { chance }) => total + chance, 0);

/** A page turned so that most of it is read: {image, back, levels, candidates}. */
function upright(page, seen, { deciding: { CLEAR, LIKE_ONE } }) {
  let best = page;
  const there = page.candidates.filter(({ heat }) => heat > LIKE_ONE);
  if (there.length && 2 * read(there) >= there.length) return page;
  for (const turns of [1, 3, 2]) {
    const other = seen(turned(page, turns), false);
    if (read(other.candidates) > CLEAR * read(best.candidates) + 1) best = other;
  }
  return best === page ? page : seen(best);
}

/** The same with its lines level, if more is read so. */
function level(page, seen, settings) {
  const { digits } = decide(page.candidates, settings);
  const slope = slopeOf(digits.map(thingAt), usualHeight(digits), { ...settings.geometry, ...settings.lines });
  if (Math.abs(slope) <= settings.lines.LEVEL) return page;
  const other = seen(rotated(page, slope));
  return read(other.candidates) > read(page.candidates) ? other : page;
}

/** {levels, candidates}: what may be digits, {image, box, heat, again, probabilities, digit, chance, height}. */
export function candidatesOn(page, detector, predict, progress, closely) {
  const levels = look(page, detector, progress, closely);
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
  const things = digits.map(thingAt);
  const slope = slopeOf(things, height, { ...geometry, ...lines });
  for (const thing of things) thing.y -= slope * (thing.x + thing.width / 2);
  const placed = ({ digit }) => {
    const [x, y, width, height] = inPicture(digit.box);
    return { ...digit, x, y, width, height };
  };
  return linesOf(things, height).map((line) => line.map(placed));
}

function thingAt(digit) {
  const [left, top, right, bottom] = digit.box;
  return { digit, x: left, y: top, width: right - left, height: bottom - top };
}
