// The living network: the digit as drawn -> what each layer makes of it -> ten bars. Until there is
// a digit, an example writes itself. Painted when something has changed, and never otherwise.

import { partsOf, partsOfAnswer, stagesOf } from "./contributions.js";
import { digitImage, smooth } from "./digit_image.js";
import { EXAMPLES, thumbnail, write } from "./examples.js";
import { layOut } from "./network_layout.js";
import { contextOf, drawNetwork, frame } from "./network_painting.js";
import { twin } from "./network.js";
import * as panel from "./network_panel.js";
import { percent, withArticle } from "./showing.js";
import { chosenDigit, watchStore } from "./store.js";

const [canvas, caption, inside] = ["network", "caption", "inside"].map((id) => document.getElementById(id));
const strip = canvas.parentElement;
const LINES = 5; // from each stage on
const WRITING = 2000; // ms that the example takes
const still = matchMedia("(prefers-reduced-motion: reduce)");

let [followed, network, stages, plan] = []; // undefined until there is a model
let [seen, probabilities] = []; // the image that the network has seen last, and its answer

/** Show the layers of this network from now on; null where only the server can run it. */
export function follow(opened) {
  if (followed === opened) return;
  followed = opened;
  inside.hidden = !opened;
  panel.close();
  if (!opened) return;
  network = twin(opened);
  stages = stagesOf(network);
  seen = null;
  repaint();
}

let waiting = 0;

function repaint() {
  cancelAnimationFrame(waiting);
  waiting = requestAnimationFrame(paint);
}

function paint() {
  if (!followed || !strip.clientWidth) return;
  const box = chosenDigit();
  const image = box?.seen ?? example();
  if (image !== seen) {
    seen = image;
    probabilities = network.run(seen);
  }
  const digit = box?.digit ?? probabilities.indexOf(Math.max(...probabilities));
  plan = layOut(stages, strip.clientWidth, strip.clientHeight);
  canvas.style.width = `${plan.width}px`;
  const context = contextOf(canvas);
  canvas.classList.toggle("pale", !box);
  drawNetwork(context, plan, network.image, box?.probabilities ?? probabilities, digit, linesTo(digit));
  const map = chosenMap();
  if (map) frame(context, map, [1, 1], { top: 0, left: 0, rows: 1, columns: 1 }, "#fff");
  panel.repaint();
  const answer = box ? `${withArticle(digit)} with ${percent(box.probabilities[digit])}` : "an example, until you write";
  const text = `Left to right: the digit, what ${stages.length} convolutions see in it, and the answer: ${answer}. Blue speaks for it, orange against. A click on a map shows how it is made.`;
  if (caption.textContent !== text) caption.textContent = text; // said aloud but once
}

/** Where the map lies whose panel is open. */
function chosenMap() {
  const { stage, number } = panel.shown() ?? {};
  return plan?.columns.find((column) => column.stage === stage)?.maps[number];
}

/** Lines from what speaks most for the answer, or against it, back to the image. */
function linesTo(digit) {
  const { image, columns, bars } = plan;
  const strongest = (maps, parts, most) =>
    maps.map((map) => ({ map, part: parts[map.number] })).sort((a, b) => Math.abs(b.part) - Math.abs(a.part)).slice(0, most);
  const parts = stages.length ? partsOfAnswer(network, stages.at(-1), digit) : null;
  let targets = parts ? strongest(columns.at(-1).maps, parts, LINES) : [];
  const lines = targets.map(({ map, part }) => ({ from: map, to: bars[digit], part }));
  for (let s = columns.length - 1; s >= 0; s--) {
    if (s && stages[s - 1].layer !== stages[s].input) break; // other layers stand between
    const next = new Map();
    for (const { map } of targets) {
      const sources = s ? strongest(columns[s - 1].maps, partsOf(stages[s], map.number), 2) : [{ map: image, part: 1 }];
      for (const source of sources) {
        lines.push({ from: source.map, to: map, part: source.part });
        next.set(source.map, source);
      }
    }
    targets = [...next.values()].slice(0, LINES);
  }
  return lines;
}

// -------------------------------------------------------------- the example

const [line] = write(EXAMPLES[0]).map(smooth);
const written = digitImage([line]);
let since = null; // when it began to be written
const ghost = Object.assign(thumbnail([line]), { id: "ghost" });
ghost.firstChild.setAttribute("pathLength", 1);
document.getElementById("hint").prepend(ghost);

/** The example as far as it is written. */
function example() {
  const share = still.matches ? 1 : (performance.now() - (since ??= performance.now())) / WRITING;
  if (share >= 1) return written;
  repaint();
  return digitImage([line.slice(0, Math.ceil(share * line.length) || 1)]);
}

watchStore(() => {
  if (chosenDigit()) since = null; // another time it is written anew
  repaint();
});

// ------------------------------------------------------------ clicks and keys

canvas.addEventListener("click", ({ offsetX, offsetY }) => {
  const column = plan?.columns.find(({ x, width }) => offsetX >= x - 4 && offsetX < x + width + 4);
  if (!column) return;
  const away = ({ x, y, size }) => Math.hypot(x + size / 2 - offsetX, y + size / 2 - offsetY);
  const map = column.maps.reduce((best, map) => (away(map) < away(best) ? map : best));
  if (away(map) > map.size + 8) return;
  const [height, width] = column.stage.layer.shape;
  const at = (offset, start, count) => Math.min(count - 1, Math.max(0, Math.floor(((offset - start) / map.size) * count)));
  panel.open(column.stage, map.number, [at(offsetY, map.y, height), at(offsetX, map.x, width)]);
});

const KEYS = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0], Enter: [0, 0], " ": [0, 0] };

canvas.addEventListener("keydown", (event) => {
  const [stage, map] = KEYS[event.key] ?? [];
  if (stage === undefined || !stages?.length) return;
  event.preventDefault();
  const at = stages.indexOf(panel.shown()?.stage);
  if (at < 0 || stage) panel.open(stages[(Math.max(0, at) + stage + stages.length) % stages.length], 0);
  else panel.next(map);
  if (!stage && !map) panel.focus();
});

panel.start(() => {
  const map = chosenMap();
  if (map) strip.scrollLeft = Math.max(map.x + map.size + 8 - strip.clientWidth, Math.min(strip.scrollLeft, map.x - 8));
  repaint();
});
new ResizeObserver(repaint).observe(strip);
