// What people say is written is kept, and the model learns from it.

import { ask as post, hasServer, Refused } from "./server.js";
import { element } from "./showing.js";
import { store, watchStore } from "./store.js";

const $ = (id) => document.getElementById(id);
const TIMES = 2; // that each digit of a lesson is written: once to learn from, once to measure

let on; // what page.js does when the model is another one, and how it looks at the server
let said = null; // what people say is written, as a list of digits
let kept = null; // the name of the picture that was kept of it
let model = null; // the number of the one that gave the answers so far
let state = null; // of the server
let news = ""; // about what lies on the field
let lesson = null; // the digits that are still to be written

export function start(handlers) {
  on = handlers;
}

// -------------------------------------------------------------- corrections

watchStore((changes) => {
  if ("answer" in changes && store.final && hasServer) invite();
});

function invite() {
  if (!lesson && !said) note(store.answer?.digits ? "Not right? Choose the digit, and tap the right one." : "");
}

function note(text, ...buttons) {
  $("correcting").replaceChildren(text, ...buttons);
}

/** Something else lies on the field. */
export function forget() {
  said = kept = null;
  news = "";
  refuse("");
  tell();
}

/** People say what the chosen digit is: the picture is kept with that. */
export async function say(digit) {
  const { answer, chosen } = store;
  if (!hasServer || !answer?.boxes.length || store.stale) return;
  said ??= answer.boxes.map((box) => box.digit);
  said[chosen] = digit;
  const text = said.join("");
  const result = await ask(`keep?answer=${text}`, answer.sent());
  if (!result || store.answer !== answer) return;
  kept = result.name;
  const undo = Object.assign(element("button", "quiet", "Undo"), { type: "button" });
  undo.setAttribute("aria-label", "Undo the correction");
  undo.addEventListener("click", async () => {
    if (!(await change(kept, ""))) return;
    forget();
    invite();
  });
  note(`Kept as ${text}, in ${state?.folder ?? "own"}. `, undo);
}

/** Give a kept picture another answer; none deletes it. */
const change = (name, answer) => ask(`change?name=${encodeURIComponent(name)}&answer=${answer}`);

function refuse(text) {
  $("refused").textContent = text;
  $("refused").hidden = !text;
}

/** Post something that changes the state of the server. Returns what it answers, or null. */
async function ask(path, body = new Blob()) {
  refuse("");
  try {
    return await post(path, body);
  } catch (error) {
    if (error instanceof Refused) refuse(`${error.message}.`);
    else if (error instanceof TypeError) refuse("The server does not answer.");
    else throw error;
    return null;
  } finally {
    await on.look(); // at what has come of it, or whether the server is gone
  }
}

// ------------------------------------------------------------------- lesson

$("lesson").addEventListener("click", () => {
  lesson = lesson ? null : Array.from({ length: 10 * TIMES }, (_, i) => i % 10);
  on.write([]);
  prompt();
});

function prompt() {
  $("lesson").textContent = lesson ? "End the lesson" : "Teach it my hand";
  if (!lesson) return invite();
  const round = lesson.length > 10 ? "first" : "second";
  note(`Write a ${lesson[0]}, as you always do. (${round} time)`);
}

let pause; // after a stroke, until the digit is taken as finished

/** A stroke has ended: in a lesson, a digit is kept once the pen rests. */
export function written() {
  clearTimeout(pause);
  if (lesson) pause = setTimeout(finishDigit, 1200);
}

async function finishDigit() {
  const { answer } = store;
  if (!lesson || !answer) return;
  const held = lesson.length <= 10 ? "&held=1" : "";
  if (!(await ask(`keep?answer=${lesson[0]}${held}`, answer.sent()))) return;
  lesson.shift();
  on.write([]);
  if (!lesson.length) {
    lesson = null;
    ask("learn");
  }
  prompt();
}

// ----------------------------------------------------------------- learning

for (const [id, path] of Object.entries({ learn: "learn", stop: "learn/stop", back: "learn/back", "keep-it": "learn/keep" })) {
  $(id).addEventListener("click", () => ask(path));
}

/** Show the state of the server. */
export function show(now) {
  const focused = document.activeElement;
  const { kept, training, learned, went_back, asks, worse, fresh } = (state = now);
  $("training").hidden = $("stop").hidden = !training;
  $("learn").hidden = training || asks || !kept.length;
  $("learn").disabled = !fresh;
  $("learn").className = fresh ? "main" : "quiet";
  $("back").hidden = training || !learned;
  $("back").textContent = went_back ? "Use what it learned" : "Go back";
  $("back").className = asks && worse ? "main" : "quiet";
  $("keep-it").hidden = !asks;
  $("keep-it").className = worse ? "quiet" : "main";
  $("lesson").hidden = Boolean(training);
  if (focused.parentElement === $("learn").parentElement && focused.hidden) {
    focused.parentElement.querySelector("button:not([hidden])")?.focus();
  }
  if (training) showTraining(training);
  showKept(now);
  tell();
  if (model !== null && model !== now.model) on.changed();
  model = now.model;
}

function showTraining({ line, share, seconds, errors }) {
  if (share === null) $("progress").removeAttribute("value");
  else $("progress").value = share;
  const most = Math.max(...errors, 0.001);
  const points = errors.map((error, i) => `${(100 * i) / Math.max(1, errors.length - 1)},${28 - (26 * error) / most}`);
  $("curve").firstElementChild.setAttribute("points", points.join(" "));
  $("doing").textContent = line ? `${seconds} s, ${line}` : `${seconds} s`;
}

let listed = ""; // what is shown of the kept pictures

/** Each kept picture with what is written on it, which can be changed, or why it is of no use. */
function showKept({ kept, reasons }) {
  $("kept").hidden = !kept.length;
  const now = JSON.stringify([kept, reasons]);
  if (!$("kept").open || now === listed) return;
  listed = now;
  $("pictures").replaceChildren(...kept.map((name) => keptPicture(name, reasons[name])));
}

$("kept").addEventListener("toggle", () => state && showKept(state));

function keptPicture(name, reason) {
  const [item, image, input] = [element("li"), element("img"), element("input")];
  const [answer] = name.split("/");
  Object.assign(image, { src: `kept/${name}`, alt: `A picture of ${answer}` });
  Object.assign(input, { value: answer, inputMode: "numeric", pattern: "[0-9]+", required: true });
  input.setAttribute("aria-label", "What is written");
  input.addEventListener("change", () => input.reportValidity() && change(name, input.value));
  const remove = Object.assign(element("button", "quiet", "Delete"), { type: "button" });
  remove.addEventListener("click", () => change(name, ""));
  item.append(image, input, remove);
  if (reason) item.append(element("small", "refused", reason));
  return item;
}

/** Say how what lies on the field was read before, where it is now read otherwise. */
export function compare(before, now) {
  news = before === now ? "" : `Read as ${before || "nothing"} before, as ${now || "nothing"} now. `;
  tell();
}

function tell() {
  if (!state) return;
  const text = story(state).filter(Boolean).join(" ");
  if ($("told").textContent === news + text) return; // it is said aloud but once
  $("told").replaceChildren(element("b", "", news), text);
}

function story({ kept, training, failure, results, learned, went_back, asks, worse, fresh }) {
  const pictures = kept.length === 1 ? "1 picture" : `${kept.length} pictures`;
  if (training) return [`Learning from ${pictures}.`];
  const soFar = kept.length ? `${pictures} kept${fresh ? "" : ", nothing new"}.` : "It can learn your hand in two minutes.";
  if (failure === "stopped") return [soFar, "Stopped: nothing has changed."];
  if (failure) return [soFar, `Learning failed, and nothing has changed: ${failure}.`];
  if (went_back) return [soFar, "It reads as before it learned."];
  if (!learned) return [soFar];
  const verdict = asks ? (worse ? "It got worse: better go back." : "Keep it?") : "It has learned.";
  return [...results, verdict];
}
