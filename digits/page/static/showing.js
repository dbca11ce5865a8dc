// The answer: the number, how sure it is and what is in doubt, and each digit by itself.

import { chosenDigit, store, update, watchStore } from "./store.js";

const $ = (id) => document.getElementById(id);
const SIZES = [5.5, 4.5, 3.5, 2.75, 2.125, 1.75, 1.5, 1.25, 1, 0.875, 0.75]; // of the number, in rem
const ASK = "Its answer appears here.";

export const element = (tag, className, text) =>
  Object.assign(document.createElement(tag), { className, textContent: text ?? "" });

watchStore((changes) => {
  document.body.classList.toggle("stale", store.stale);
  if ("answer" in changes) showAnswer();
  if ("answer" in changes || "chosen" in changes) showChosen();
});

function showAnswer() {
  const { answer, final } = store;
  showNumber(answer?.lines ?? []);
  $("copy").disabled = !answer?.digits;
  $("share").hidden = !answer?.digits;
  const found = answer?.boxes ?? [];
  $("digits").replaceChildren(...(found.length < 2 ? [] : found.map(card)));
  if (!final && !answer?.digits) return; // a stroke that has only begun
  const remark = answer ? remarkOn(answer) : ASK;
  $("remark").textContent = remark;
  $("remark").classList.toggle("doubt", Boolean(answer?.unsure && answer.digits));
  if (final) $("spoken").textContent = answer?.digits ? `${[...asText(answer)].join(" ")}: ${remark}` : remark;
}

/** The number as text: a line for each line, a space in each wide gap. */
export const asText = ({ lines }) =>
  lines.map((line) => line.map((group) => group.digits).join(" ")).join("\n");

/** 0 to 1 as people read it, as digits/command_line.py writes it. */
export function percent(share) {
  const text = `${(100 * share).toFixed(1)} %`;
  return { "100.0 %": ">99.9 %", "0.0 %": "<0.1 %" }[text] ?? text;
}

function showNumber(lines) {
  const rows = lines.flatMap((line, i) => {
    const row = element("span", "row");
    for (const { digits } of line) row.append(element("span", "run", digits), " ");
    return i ? ["\n", row] : [row];
  });
  $("number").replaceChildren(...rows);
  fitNumber();
}

/** As large as fits: a run of digits is never broken, and the page does not move. */
export function fitNumber() {
  const number = $("number");
  for (const size of SIZES) {
    number.style.fontSize = `${size}rem`;
    if (number.scrollHeight <= number.clientHeight && number.scrollWidth <= number.clientWidth) return;
  }
}

// -------------------------------------------------------------------- doubt

function remarkOn(answer) {
  if (!answer.digits) return "No digit found.";
  const page = answer.pages > 1 ? ` Page 1 of ${answer.pages}.` : "";
  const ink = answer.unread?.length ? unreadInk(answer.unread) : "";
  if (!answer.unsure) return `${percent(answer.confidence)} sure.${ink}${page}`;
  const doubt = doubtAbout(answer);
  return (doubt ? `${percent(answer.confidence)} sure: ${doubt}${ink}` : `Unsure.${ink}`) + page;
}

function unreadInk(unread) {
  const names = [...new Set(unread.map(({ mark }) => mark).filter(Boolean))];
  if (!names.length) return " Some ink was left unread.";
  const signs = { dot: "a dot", dash: "a dash", plus: "a plus sign", equals: "an equals sign" };
  return ` It reads digits only: ${names.map((name) => signs[name]).join(" and ")} was left unread.`;
}

/** What is in doubt: where a digit ends, which one it is, or simply that there are so many. */
function doubtAbout({ boxes, unread }) {
  const certainty = Math.min(...boxes.map((box) => box.certainty));
  if (certainty < Math.min(0.9, ...boxes.map((box) => box.confidence))) return doubtAboutCut(boxes, certainty);
  const unsure = boxes.filter((box) => box.unsure);
  if (unsure.length > 1) {
    const places = unsure.map((box) => `the ${ordinal(boxes.indexOf(box) + 1)}`);
    return unsure.length > 3 ? `${unsure.length} digits are in doubt.` : `${joined(places)} are in doubt.`;
  }
  if (!unsure.length) return unread?.length ? "" : `each of the ${boxes.length} digits is likely, all of them less so.`;
  const which = boxes.length > 1 ? `is the ${ordinal(boxes.indexOf(unsure[0]) + 1)} ` : "";
  const [first, second] = likeliest(unsure[0]).map(withArticle);
  return `${which}${first} or ${second}?`;
}

const joined = (names) => `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
export const withArticle = (digit) => `${digit === 8 ? "an" : "a"} ${digit}`;

/** The digits of one piece of ink share their certainty. */
function doubtAboutCut(boxes, certainty) {
  const first = boxes.findIndex((box) => box.certainty === certainty);
  const count = boxes.filter((box) => box.certainty === certainty).length;
  const question = ["", "one digit or two?", "two digits or one?"][count] ?? `are these ${count} digits?`;
  if (count === boxes.length) return question;
  const last = count > 1 ? ` ${count > 2 ? "to" : "and"} ${ordinal(first + count)}` : "";
  return `the ${ordinal(first + 1)}${last}: ${question}`;
}

const likeliest = ({ probabilities }) =>
  probabilities.map((_, digit) => digit).sort((a, b) => probabilities[b] - probabilities[a]);

export function ordinal(number) {
  const ending = { one: "st", two: "nd", few: "rd", other: "th" };
  return number + ending[new Intl.PluralRules("en", { type: "ordinal" }).select(number)];
}

// ----------------------------------------------------------- digit by digit

function card({ digit, confidence, unsure, seen }, i) {
  const button = element("button", unsure ? "card doubt" : "card");
  button.type = "button";
  button.addEventListener("click", () => update({ chosen: i }));
  button.append(picture(seen), element("b", "", unsure ? `${digit}?` : digit));
  if (unsure) button.append(element("small", "", percent(confidence)));
  return button;
}

/** Show one digit large: what the model saw, and how likely it is each of the ten. */
function showChosen() {
  const box = chosenDigit();
  [...$("digits").children].forEach((one, i) => one.setAttribute("aria-pressed", i === store.chosen));
  $("seen").getContext("2d").drawImage(picture(box?.seen ?? new Array(784).fill(0)), 0, 0);
  $("seen").setAttribute("aria-label", box ? `${withArticle(box.digit)} as the model sees it: 28×28 pixels` : "Nothing yet");
  [...$("bars").children].forEach((bar, d) => {
    const probability = box?.probabilities[d] ?? 0;
    bar.classList.toggle("best", d === box?.digit);
    bar.classList.toggle("doubt", Boolean(box?.unsure) && d === box.digit);
    bar.style.setProperty("--share", probability);
    bar.setAttribute("aria-label", box ? `${d}: ${percent(probability)}` : `${d}`);
    bar.lastChild.textContent = box?.unsure && probability >= 0.01 ? `${Math.round(100 * probability)} %` : "";
  });
}

/** The ten bars, which are buttons: a tap says which digit it is. */
export function makeBars(say) {
  for (let d = 0; d < 10; d++) {
    const bar = element("button", "bar");
    bar.type = "button";
    bar.append(element("i", "track"), element("b", "", d), element("small"));
    bar.addEventListener("click", () => say(d));
    $("bars").append(bar);
  }
}

/** Grey values as a canvas. */
function picture(values) {
  const canvas = Object.assign(document.createElement("canvas"), { width: 28, height: 28 });
  const image = new ImageData(28, 28);
  values.forEach((value, i) => image.data.set([value, value, value, 255], 4 * i));
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}
