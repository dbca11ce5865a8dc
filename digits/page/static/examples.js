// Three examples to click, in somebody's handwriting. A digit is some 100 wide and 140 high.

const DIGITS = [
  [[62, 8, 40, 3, 18, 26, 8, 68, 15, 112, 40, 137, 68, 124, 87, 84, 83, 40, 64, 11, 46, 2]],
  [[26, 34, 42, 20, 55, 3, 53, 50, 50, 96, 46, 139]],
  [[14, 36, 22, 12, 48, 1, 74, 11, 78, 38, 62, 68, 36, 100, 10, 133, 40, 128, 66, 131, 94, 136]],
  [[14, 18, 38, 2, 68, 8, 75, 34, 56, 58, 36, 65, 64, 67, 83, 90, 75, 124, 44, 140, 10, 126]],
  [[32, 2, 23, 40, 10, 80, 40, 81, 92, 75], [68, 38, 65, 86, 60, 141]],
  [[34, 8, 29, 34, 24, 62, 50, 52, 78, 67, 84, 100, 62, 131, 32, 137, 8, 122], [35, 8, 60, 9, 90, 3]],
  [[70, 2, 42, 24, 20, 62, 11, 102, 27, 134, 58, 137, 79, 111, 66, 83, 40, 80, 17, 104]],
  [[8, 12, 44, 9, 86, 6, 68, 48, 49, 92, 40, 140]],
  [[78, 22, 52, 3, 24, 15, 28, 44, 58, 66, 81, 98, 66, 133, 32, 136, 15, 108, 38, 74, 68, 45, 79, 19]],
  [[80, 26, 56, 5, 24, 17, 13, 46, 32, 69, 60, 63, 81, 25, 79, 60, 71, 100, 62, 140]],
];

export const EXAMPLES = ["3", "2026", "48 16/307"];

/** A number as strokes around the origin; every digit a little different in place and size. */
export function write(number) {
  const lines = number.split("/");
  const places = lines.flatMap((line, row) =>
    [...line].map((digit, i) => ({ digit, x: 120 * (i - (line.length - 1) / 2), y: 205 * (row - (lines.length - 1) / 2) })),
  );
  const scale = Math.min(1.5, 4.3 / Math.max(...lines.map((line) => line.length)));
  return places.flatMap(({ digit, x, y }, i) =>
    (DIGITS[digit] ?? []).map((line) => stroke(line, x, y + 9 * Math.sin(7 * i), scale * (1 + 0.05 * Math.sin(4 * i)))),
  );
}

const round = (value) => Math.round(10 * value) / 10;

function stroke(line, x, y, scale) {
  const points = [];
  for (let i = 0; i < line.length; i += 2) {
    // A hand presses a little harder in the middle of a stroke.
    const width = 11 + 4 * Math.sin((Math.PI * (i + 2)) / (line.length + 2));
    const [left, top] = [scale * (x + line[i] - 50), scale * (y + line[i + 1] - 70)];
    points.push({ x: round(left), y: round(top), width: round(width) });
  }
  return points;
}

/** Strokes as a small picture in the colour of the text around it. */
export function thumbnail(strokes) {
  const points = strokes.flat();
  const [left, right] = [Math.min(...points.map((p) => p.x)) - 20, Math.max(...points.map((p) => p.x)) + 20];
  const [top, bottom] = [Math.min(...points.map((p) => p.y)) - 20, Math.max(...points.map((p) => p.y)) + 20];
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", `${left} ${top} ${right - left} ${bottom - top}`);
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", strokes.map(curve).join(""));
  path.setAttribute("stroke-width", 13);
  svg.append(path);
  return svg;
}

function curve(stroke) {
  const middle = (a, b) => `${(a.x + b.x) / 2} ${(a.y + b.y) / 2}`;
  const bends = stroke.slice(1, -1).map((point, i) => `Q${point.x} ${point.y} ${middle(point, stroke[i + 2])}`);
  const [first, last] = [stroke[0], stroke[stroke.length - 1]];
  return `M${first.x} ${first.y}${bends.join("")}L${last.x} ${last.y}`;
}
