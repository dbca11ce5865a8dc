// The answer: the number, how sure it is and what is in doubt, and each digit by itself.

import { store, update, watchStore } from "./store.js";

const $ = (id) => document.getElementById(id);
const SIZES = [5.5, 4.5, 3.5, 2.75, 2.125, 1.75, 1.5, 1.25, 1, 0.875, 0.75]; // of the number, in rem
const ASK = "Its answer appears here.";

export const element = (tag, className, text) =>
  Object.assign(document.createElement(tag), { className, textContent: text ?? "" });

watchStore((changes) => {
  document.body.classList.toggle("stale", store.stale);
  if ("answer" in changes) showNumber(store.answer);
  if (!store.final) return; // while the pen is down, only the number changes
  if ("answer" in changes) showDigits(store.answer);
  if ("answer" in changes || "kept" in changes) showRemark(store.answer);
  [...$("digits").children].forEach((one, i) => one.setAttribute("aria-pressed", i === store.chosen));
  if ("answer" in changes || "chosen" in changes || "offered" in changes) showChoices();
});

/** What is written, sign by sign: {text, digit}, where `digit` is the number of a digit's box. */
function signsOf({ lines, said = {} }) {
  let count = 0;
  const sign = (text) => (/\d/.test(text) ? { text: said[count] ?? text, digit: count++ } : { text });
  return lines.map((line) => line.map((group) => [...group.digits].map(sign)));
}

/** The number as text: a line for each line, a space in each wide gap. */
export const asText = (answer) =>
  signsOf(answer).map((line) => line.map((group) => group.map(({ text }) => text).join("")).join(" ")).join("\n");

/** The digits alone, as people say they are. */
export const digitsOf = ({ boxes, said = {} }) => boxes.map(({ digit }, i) => said[i] ?? digit).join("");

/** 0 to 1 as people read it, as digits/command_line.py writes it. */
export function percent(share) {
  const text = `${(100 * share).toFixed(1)} %`;
  return { "100.0 %": ">99.9 %", "0.0 %": "<0.1 %" }[text] ?? text;
}

function showNumber(answer) {
  const rows = signsOf(answer ?? { lines: [] }).flatMap((line, i) => {
    const row = element("span", "row");
    for (const group of line) {
      const run = element("span", "run");
      run.append(...group.map(shownSign));
      row.append(run, " ");
    }
    return i ? ["\n", row] : [row];
  });
  $("number").replaceChildren(...rows);
  fitNumber();
}

function shownSign({ text, digit }) {
  const sign = element("span", digit === undefined ? "sign" : "", text);
  if (digit !== undefined) sign.dataset.digit = digit;
  return sign;
}

$("number").addEventListener("click", ({ target }) => {
  if (target.dataset.digit && store.final) update({ chosen: Number(target.dataset.digit), offered: true });
});

/** As large as fits: a run of digits is never broken, and the page does not move. */
export function fitNumber() {
  const number = $("number");
  for (const size of SIZES) {
    number.style.fontSize = `${size}rem`;
    if (number.scrollHeight <= number.clientHeight && number.scrollWidth <= number.clientWidth) return;
  }
}

// -------------------------------------------------------------------- doubt

function showRemark(answer) {
  const remark = answer ? remarkOn(answer) : ASK;
  $("remark").textContent = remark;
  $("copy").disabled = !answer?.digits;
  $("remark").classList.toggle("doubt", Boolean(answer?.unsure && answer.digits && !answer.said));
  $("spoken").textContent = answer?.digits ? `${[...asText(answer)].join(" ")}: ${remark}` : remark;
}

function remarkOn(answer) {
  if (!answer.digits) return "No digit found.";
  if (store.kept) return `Kept as ${digitsOf(answer)}.`;
  if (answer.said) return `You say ${asText(answer).replace("\n", " / ")}.`;
  const page = answer.pages > 1 ? ` Page 1 of ${answer.pages}.` : "";
  const ink = answer.unread?.length ? " Some ink was left unread." : "";
  if (!answer.unsure) return `${percent(answer.confidence)} sure.${ink}${page}`;
  const doubt = doubtAbout(answer);
  return (doubt ? `${percent(answer.confidence)} sure: ${doubt}${ink}` : `Unsure.${ink}`) + page;
}

/** What is in doubt: where a digit ends, which one it is, or simply that there are so many. */
function doubtAbout({ boxes, unread }) {
  const certainty = Math.min(...boxes.map((box) => box.certainty));
  if (certainty < Math.min(0.9, ...boxes.map((box) => box.confidence))) return doubtAboutCut(boxes, certainty);
  const unsure = boxes.filter((box) => box.unsure);
  if (unsure.length > 1) {
    const places = unsure.map((box) => `the ${ordinal(boxes.indexOf(box) + 1)}`);
    return unsure.length > 2 ? `${unsure.length} digits are in doubt.` : `${places.join(" and ")} are in doubt.`;
  }
  if (!unsure.length) return unread?.length ? "" : `each of the ${boxes.length} digits is likely, all less so.`;
  const which = boxes.length > 1 ? `is the ${ordinal(boxes.indexOf(unsure[0]) + 1)} ` : "";
  const [first, second] = likeliest(unsure[0]).map(withArticle);
  return `${which}${first} or ${second}?`;
}

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

/** What a digit may be, the likeliest first: digits, and the sign that it may be. */
function likeliest({ digit, other, probabilities }) {
  const digits = probabilities.map((_, d) => d).sort((a, b) => probabilities[b] - probabilities[a]);
  return other ? [digit, other, ...digits.filter((d) => d !== digit)] : digits;
}

export function ordinal(number) {
  const ending = { one: "st", two: "nd", few: "rd", other: "th" };
  return number + ending[new Intl.PluralRules("en", { type: "ordinal" }).select(number)];
}

// ----------------------------------------------------------- digit by digit

function showDigits(answer) {
  const boxes = answer?.boxes ?? [];
  $("digits").replaceChildren(...boxes.map((box, i) => card(box, answer.said?.[i], i)));
}

function card({ digit, confidence, unsure, seen }, said, i) {
  const doubt = unsure && said === undefined;
  const button = element("button", doubt ? "card doubt" : "card");
  button.type = "button";
  button.addEventListener("click", () => update({ chosen: i, offered: true }));
  button.append(picture(seen), element("b", "", said ?? (doubt ? `${digit}?` : digit)));
  if (doubt) button.append(element("small", "", percent(confidence)));
  return button;
}

let choose; // what happens when people say what a digit is

/** The three likeliest of the chosen digit, and all others in a list, in place of the remark. */
function showChoices() {
  const { answer, chosen, offered } = store;
  const box = offered ? answer?.boxes[chosen] : null;
  $("remark").hidden = Boolean(box);
  $("choices").hidden = !box;
  if (!box) return;
  const buttons = likeliest(box).slice(0, 3).map((what) => {
    const button = Object.assign(element("button"), { type: "button" });
    button.append(element("b", "", what));
    if (!box.other) button.append(" ", element("small", "", percent(box.probabilities[what])));
    button.addEventListener("click", () => choose(chosen, String(what)));
    return button;
  });
  const others = element("select");
  others.setAttribute("aria-label", "Another digit");
  others.append(...["…", ..."0123456789"].map((text) => new Option(text)));
  others.addEventListener("change", () => choose(chosen, others.value));
  $("choices").replaceChildren(...buttons, others);
  if ($("digits").contains(document.activeElement)) buttons[0].focus(); // by a key
}

export function onChoice(handler) {
  choose = handler;
}

/** Grey values as a canvas. */
function picture(values) {
  const canvas = Object.assign(document.createElement("canvas"), { width: 28, height: 28 });
  const image = new ImageData(28, 28);
  values.forEach((value, i) => image.data.set([value, value, value, 255], 4 * i));
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}
