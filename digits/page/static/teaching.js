// What people say is written is kept, and the model learns from it.

import { ask as post, Refused } from "./server.js";
import { ordinal } from "./showing.js";

const $ = (id) => document.getElementById(id);

let on; // what page.js does when the model is another one, and how it looks at the server
let answer = null; // that may be wrong
let chosen = 0; // its digit that is shown large
let typed = null; // what people say instead
let model = null; // the number of the one that gave the answers so far
let state = null; // of the server
let news = ""; // about what lies on the field

export function start(handlers) {
  on = handlers;
}

// -------------------------------------------------------------- corrections

/** Offer to correct an answer of the server; null takes the offer back. */
export function offer(result, digit) {
  answer = result;
  chosen = digit;
  fill();
}

/** Something else lies on the field. */
export function forget() {
  typed = null;
  news = "";
  open(false);
  tell();
}

function open(yes) {
  $("correction").hidden = !yes;
  $("wrong").setAttribute("aria-expanded", yes);
  refuse("");
}

const written = () => typed ?? answer?.digits ?? "";

const asDigits = () => written().replaceAll(" ", "");

/** A digit can be chosen while there are as many as were read. */
function fill() {
  const digits = asDigits();
  if ($("truth").value !== written()) $("truth").value = written();
  $("choices").hidden = !digits || digits.length !== answer?.boxes.length;
  $("which").textContent = digits.length > 1 ? `The ${ordinal(chosen + 1)} is a` : "It is a";
  $("choices").querySelectorAll("button").forEach((button, d) => {
    button.setAttribute("aria-pressed", digits[chosen] === `${d}`);
  });
}

function choose(digit) {
  const digits = [...asDigits()];
  digits[chosen] = digit;
  typed = digits.join("");
  fill();
}

for (let d = 0; d < 10; d++) {
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: d });
  button.addEventListener("click", () => choose(d));
  $("choices").append(button);
}

$("wrong").addEventListener("click", () => {
  open($("correction").hidden);
  if ($("correction").hidden) return;
  fill();
  $("correction").scrollIntoView({ block: "nearest" });
  if (matchMedia("(pointer: coarse)").matches) return; // its keyboard would cover the buttons
  $("truth").focus({ preventScroll: true });
  $("truth").select();
});

$("truth").addEventListener("input", () => {
  typed = $("truth").value;
  fill();
});

$("correction").addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    forget();
    $("wrong").focus();
  } else if (/^\d$/.test(event.key) && event.target !== $("truth") && !$("choices").hidden) choose(event.key);
});

$("correction").addEventListener("submit", async (event) => {
  event.preventDefault();
  const [digits, sent] = [asDigits(), answer.sent()];
  if (!(await ask(`keep?answer=${digits}`, sent))) return;
  typed = digits;
  news = `Kept as ${digits}. `;
  open(false);
  $("wrong").focus();
  tell();
});

function refuse(text) {
  $("refused").textContent = text;
  $("refused").hidden = !text;
}

// ----------------------------------------------------------------- learning

/** Post something that changes the state of the server. Tells whether it did. */
async function ask(path, body = new Blob()) {
  refuse("");
  try {
    await post(path, body);
    return true;
  } catch (error) {
    if (error instanceof Refused) refuse(`${error.message}.`);
    else if (!(error instanceof TypeError)) throw error;
    return false;
  } finally {
    await on.look(); // at what has come of it, or whether the server is gone
  }
}

for (const [id, path] of Object.entries({ learn: "learn", stop: "learn/stop", back: "learn/back" })) {
  $(id).addEventListener("click", () => ask(path));
}

/** Show the state of the server. */
export function show(now) {
  const focused = document.activeElement;
  const { folder, kept, training, learned, went_back } = (state = now);
  $("folder").textContent = folder;
  $("learning").hidden = !kept && !training && !learned;
  $("training").hidden = $("stop").hidden = !training;
  $("learn").hidden = training || !kept;
  $("back").hidden = training || !learned;
  $("back").textContent = went_back ? "Use what it learned" : "Go back";
  $("learn").className = learned ? "quiet" : "main";
  if (focused.parentElement === $("learn").parentElement && focused.hidden) {
    focused.parentElement.querySelector("button:not([hidden])")?.focus();
  }
  if (training) showTraining(training);
  tell();
  if (model !== null && model !== now.model) on.changed();
  model = now.model;
}

function showTraining({ line, share, seconds }) {
  if (share === null) $("progress").removeAttribute("value");
  else $("progress").value = share;
  $("doing").textContent = line ? `${seconds} s, ${line}` : `${seconds} s`;
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
  $("told").replaceChildren(Object.assign(document.createElement("b"), { textContent: news }), text);
}

function story({ kept, training, failure, results, learned, went_back }) {
  const pictures = kept === 1 ? "1 picture" : `${kept} pictures`;
  if (training) return [`Learning from ${pictures}.`];
  const so_far = kept ? `${pictures} kept.` : "";
  if (failure === "stopped") return [so_far, "Stopped: nothing has changed."];
  if (failure) return [so_far, `Learning failed, and nothing has changed: ${failure}.`];
  if (went_back) return [so_far, "It reads as before it learned."];
  return learned ? [so_far, "It has learned.", ...results] : [so_far];
}
