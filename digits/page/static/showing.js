// The answer: the number, how sure it is and what is in doubt, and each digit by itself.

const $ = (id) => document.getElementById(id);
const SIZES = [5.5, 4.5, 3.5, 2.75, 2.125, 1.75, 1.5, 1.25, 1, 0.875, 0.75]; // of the number, in rem
const ASK = "Its answer appears here.";

const element = (tag, className, text) =>
  Object.assign(document.createElement(tag), { className, textContent: text ?? "" });

/** Show an answer of the server, or null for none. `final`: say it aloud too. */
export function showAnswer(answer, { final, chosen, choose }) {
  showNumber(answer?.lines ?? []);
  const remark = answer ? remarkOn(answer) : ASK;
  $("remark").textContent = remark;
  $("remark").classList.toggle("doubt", Boolean(answer?.unsure && answer.digits));
  $("copy").disabled = !answer?.digits;
  if (final) $("spoken").textContent = answer?.digits ? `${[...asText(answer)].join(" ")}: ${remark}` : remark;
  const found = answer?.boxes ?? [];
  $("details").hidden = !answer;
  $("large").hidden = $("inside").hidden = !found.length;
  $("digits").hidden = found.length < 2;
  const cards = found.length < 2 ? [] : found.map((box, i) => card(box, i, i === chosen, choose));
  $("digits").replaceChildren($("digits").firstElementChild, ...cards);
}

/** 0 to 1 as people read it, as digits/command_line.py writes it. */
export function percent(share) {
  const text = `${(100 * share).toFixed(1)} %`;
  return { "100.0 %": ">99.9 %", "0.0 %": "<0.1 %" }[text] ?? text;
}

/** The number as text: a line for each line, a space in each wide gap. */
export const asText = ({ lines }) =>
  lines.map((line) => line.map((group) => group.digits).join(" ")).join("\n");

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
  const unread = answer.unread?.length ? " Some ink was left unread." : "";
  const doubt = answer.unsure ? `: ${doubtAbout(answer)}` : "";
  return `${percent(answer.confidence)} sure${doubt || "."}${unread}${page}`;
}

/** What is in doubt: where a digit ends, which one it is, or simply that there are so many. */
function doubtAbout({ boxes }) {
  const certainty = Math.min(...boxes.map((box) => box.certainty));
  if (certainty < Math.min(...boxes.map((box) => box.confidence))) return doubtAboutCut(boxes, certainty);
  const unsure = boxes.filter((box) => box.unsure);
  if (unsure.length > 1) return `look at the ${unsure.length} with a question mark.`;
  if (!unsure.length) return `each of the ${boxes.length} digits is likely, all of them less so.`;
  const which = boxes.length > 1 ? `is the ${ordinal(boxes.indexOf(unsure[0]) + 1)} a` : "a";
  const [first, second] = likeliest(unsure[0]);
  return `${which} ${first} or a ${second}?`;
}

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

// ------------------------------------------------------------- digit by digit

function card({ digit, confidence, unsure, seen }, i, isChosen, choose) {
  const label = element("label", unsure ? "card doubt" : "card");
  const input = Object.assign(document.createElement("input"), { type: "radio", name: "digit", checked: isChosen });
  input.addEventListener("change", () => choose(i));
  label.append(input, picture(seen), element("b", "", unsure ? `${digit}?` : digit), element("small", "", percent(confidence)));
  return label;
}

/** Show one digit large: what the model saw, and its ten probabilities. */
export function showChosen({ boxes }, i) {
  const { digit, confidence, unsure, seen, probabilities } = boxes[i];
  const title = [element("b", unsure ? "doubt" : "", unsure ? `${digit}?` : digit), ` ${percent(confidence)}`];
  if (boxes.length > 1) title.push(element("small", "", ` ${ordinal(i + 1)} of ${boxes.length}`));
  $("chosen").replaceChildren(...title);
  $("seen").getContext("2d").drawImage(picture(seen), 0, 0);
  $("seen").setAttribute("aria-label", `A ${digit} as the model sees it`);
  $("bars").setAttribute("aria-label", probabilities.map((p, d) => `${d}: ${percent(p)}`).join(", "));
  $("bars").replaceChildren(
    ...probabilities.flatMap((probability, d) => {
      const bar = element("i", d === digit ? "best" : "");
      bar.style.width = `${100 * probability}%`;
      const track = element("span", "track");
      track.append(bar);
      return [element("span", "", d), track, element("span", "share", probability < 0.001 ? "" : percent(probability))];
    }),
  );
  const inputs = $("digits").querySelectorAll("input");
  if (inputs[i]) inputs[i].checked = true;
}

/** Grey values as a canvas. */
function picture(values, width = 28, height = 28) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const image = new ImageData(width, height);
  values.forEach((value, i) => image.data.set([value, value, value, 255], 4 * i));
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

// -------------------------------------------------------- inside the model

/** Show which pixels speak for the answer, and the feature maps of each convolution. */
export function showInside({ digit, seen }, { speaks, layers }) {
  const evidence = figure(speaking(seen, speaks), `Blue speaks for a ${digit}, orange against it: wiping it out takes away, or adds, confidence.`);
  evidence.className = "evidence";
  const figures = layers.map(({ name, count, width, height, maps }) => {
    const shown = maps.length / (width * height);
    const number = shown < count ? `${shown} of ${count}` : count;
    return figure(mosaic(maps, shown, width, height), `${name}: ${number} feature maps of ${width}×${height}`);
  });
  $("layers").replaceChildren(evidence, ...figures);
}

function figure(canvas, caption) {
  const whole = document.createElement("figure");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", caption);
  whole.append(canvas, element("figcaption", "", caption));
  return whole;
}

function speaking(seen, speaks) {
  const image = new ImageData(28, 28);
  const [forIt, against] = [[96, 176, 255], [255, 150, 40]];
  seen.forEach((value, i) => {
    const share = Math.min(1, Math.abs(speaks[i]));
    const color = speaks[i] > 0 ? forIt : against;
    image.data.set([...color.map((c) => value * (1 - share) * 0.55 + c * share * (0.25 + 0.75 * value / 255)), 255], 4 * i);
  });
  const canvas = Object.assign(document.createElement("canvas"), { width: 28, height: 28 });
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

/** Maps side by side on one canvas, each enlarged to much the same size. */
function mosaic(maps, count, width, height) {
  const columns = Math.min(count, Math.max(8, Math.ceil(Math.sqrt(2 * count))));
  const scale = Math.max(1, Math.round(36 / width));
  const [right, down] = [width * scale + 3, height * scale + 3];
  const canvas = Object.assign(document.createElement("canvas"), {
    width: columns * right - 3,
    height: Math.ceil(count / columns) * down - 3,
  });
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  for (let i = 0; i < count; i++) {
    const map = maps.subarray(i * width * height, (i + 1) * width * height);
    const [x, y] = [(i % columns) * right, Math.floor(i / columns) * down];
    context.drawImage(picture(map, width, height), x, y, width * scale, height * scale);
  }
  return canvas;
}
