// What people say is written is kept, and the model learns from it.

import { ask as post, hasServer, Refused } from "./server.js";
import { digitsOf, element, withArticle } from "./showing.js";
import { store, update, watchStore } from "./store.js";

const $ = (id) => document.getElementById(id);
const TIMES = 2; // that each digit of a lesson is written: once to learn from, once to measure

let on; // what page.js does when the model is another one, and how it looks at the server
let model = null; // the number of the one that gave the answers so far
let state = null; // of the server
let news = ""; // about what lies on the field

export function start(handlers) {
  on = handlers;
}

/** Something else lies on the field. */
export function forget() {
  news = "";
  refuseBelow("");
  tell();
}

// -------------------------------------------------------------- corrections

watchStore(() => {
  const { answer, kept, offered, stale } = store;
  $("keep").hidden = !hasServer || !answer?.said || offered || stale || !/^\d+$/.test(digitsOf(answer));
  $("keep").textContent = kept ? "Do not keep" : "Keep to learn from";
});

$("keep").addEventListener("click", async () => {
  const { answer, kept } = store;
  if (kept) return (await change(kept, "")) && update({ kept: null });
  const result = await ask(`keep?answer=${digitsOf(answer)}`, answer.sent(), on.trouble);
  if (result && store.answer === answer) update({ kept: result.name });
});

/** Give a kept picture another answer; none deletes it. */
const change = (name, answer) => ask(`change?name=${encodeURIComponent(name)}&answer=${answer}`);

function refuseBelow(text) {
  $("refused").textContent = text;
  $("refused").hidden = !text;
}

/** Post something that changes the state of the server. Returns what it answers, or null. */
async function ask(path, body = new Blob(), refuse = refuseBelow) {
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

let lesson = null; // {kept: the name of what was kept of each digit so far, misread: what it looked like}
let pause; // after a stroke, until the digit is taken as finished

const asked = () => lesson.kept.length % 10;

/** Ask for the next digit, on an empty field. */
function prompt(news = "") {
  clearTimeout(pause);
  on.write([]);
  if (lesson?.kept.length === 10 * TIMES) {
    if (lesson.kept.some(Boolean)) ask("learn");
    lesson = null;
  }
  $("prompt").hidden = !lesson;
  $("field").classList.toggle("asking", Boolean(lesson));
  if (!lesson) return;
  const number = ` · ${lesson.kept.length + 1} of ${10 * TIMES}`;
  $("asked").replaceChildren(news, element("b", "", `Write ${withArticle(asked())}`), number);
  $("again").disabled = !lesson.kept.length;
}

$("lesson").addEventListener("click", () => {
  lesson = { kept: [], misread: null };
  prompt();
  $("field").scrollIntoView({ block: "nearest" });
});

$("end").addEventListener("click", () => {
  lesson = null;
  prompt();
});

$("skip").addEventListener("click", () => next(null));

$("again").addEventListener("click", async () => {
  const name = lesson.kept.pop();
  lesson.misread = null;
  prompt();
  if (name) await change(name, "");
});

function next(name) {
  lesson.kept.push(name);
  lesson.misread = null;
  prompt();
}

/** A stroke has ended: in a lesson, a digit is kept once the pen rests. */
export function written() {
  clearTimeout(pause);
  if (lesson) pause = setTimeout(finishDigit, 1200);
}

async function finishDigit() {
  const { answer, stale, final } = store;
  if (!lesson) return;
  if (stale || !final) return written();
  if (!answer) return;
  const { digits, unsure } = answer;
  // What is surely something else is asked once more; written so again, it is how they write it.
  const wrong = !digits || (!unsure && digits !== String(asked()));
  if (wrong && (!digits || lesson.misread !== digits)) {
    lesson.misread = digits;
    return prompt(digits ? `It looks like ${withArticle(digits)}. ` : "No digit found. ");
  }
  const held = lesson.kept.length >= 10 ? "&held=1" : "";
  const result = await ask(`keep?answer=${asked()}${held}`, answer.sent(), on.trouble);
  if (result && lesson) next(result.name);
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
function showKept({ kept, held, reasons }) {
  $("kept").hidden = !kept.length && !held.length;
  const now = JSON.stringify([kept, held, reasons]);
  if (!$("kept").open || now === listed) return;
  listed = now;
  const pictures = kept.map((name) => keptPicture(name, reasons[name]));
  $("pictures").replaceChildren(...pictures, ...held.map((name) => keptPicture(name, "", "only to measure")));
}

$("kept").addEventListener("toggle", () => state && showKept(state));

function keptPicture(name, reason, use) {
  const [item, image, input] = [element("li"), element("img"), element("input")];
  const answer = name.split("/").at(-2);
  Object.assign(image, { src: `kept/${name}`, alt: `A picture of ${answer}` });
  Object.assign(input, { value: answer, inputMode: "numeric", pattern: "[0-9]{1,100}", required: true });
  input.setAttribute("aria-label", "What is written");
  input.addEventListener("change", async () => {
    const changed = input.reportValidity() && (await change(name, input.value));
    if (!changed) input.value = answer;
  });
  const remove = Object.assign(element("button", "quiet", "Delete"), { type: "button" });
  remove.addEventListener("click", () => change(name, ""));
  item.append(image, input, remove);
  if (reason) item.append(element("small", "refused", reason));
  if (use) item.append(element("small", "use", use));
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

function story({ folder, kept, training, failure, results, learned, went_back, asks, worse, fresh }) {
  const pictures = kept.length === 1 ? "1 picture" : `${kept.length} pictures`;
  if (training) return [`Learning from ${pictures}.`];
  const soFar = kept.length ? `${pictures} kept in ${folder}${fresh ? "" : ", nothing new"}.` : "It can learn your hand in two minutes.";
  if (failure === "stopped") return [soFar, "Stopped: nothing has changed."];
  if (failure) return [soFar, `Learning failed, and nothing has changed: ${failure}.`];
  if (went_back) return [soFar, "It reads as before it learned."];
  if (!learned) return [soFar];
  const verdict = asks ? (worse ? "It got worse: better go back." : "Keep it?") : "It has learned.";
  return [...results, verdict];
}
