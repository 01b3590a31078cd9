// Draw curves and bars as the reports do: small SVGs with a title and a description.
"use strict";

const SVG = "http://www.w3.org/2000/svg";
const CHART = { width: 280, height: 132, left: 46, right: 10, top: 22, bottom: 34 };

function create(tag, attributes = {}, parent = null, text = null) {
  const node = document.createElement(tag);
  for (const [name, setting] of Object.entries(attributes)) if (setting !== null && setting !== false) node.setAttribute(name, setting === true ? "" : setting);
  if (text !== null) node.textContent = text;
  parent?.append(node);
  return node;
}

function draw(tag, attributes, parent, text = null) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, setting] of Object.entries(attributes)) node.setAttribute(name, setting);
  if (text !== null) node.textContent = text;
  parent?.append(node);
  return node;
}

// Return a number for people: five digits, or all before the point, with commas from 10,000 on.
function shown(number) {
  if (!Number.isFinite(number)) return String(number);
  const size = Math.abs(number);
  if (size !== 0 && (size < 1e-4 || size >= 1e15)) return number.toPrecision(4).replace("-", "−");
  return grouped(number, Math.max(0, 4 - Math.max(Math.floor(Math.log10(size || 1)), 0)), true);
}

// Return a number with so many digits after the point, or without zeros at the end.
function grouped(number, digits, trimmed = false) {
  const useGrouping = Math.abs(number) >= 9999.5;
  return number.toLocaleString("en-US", { minimumFractionDigits: trimmed ? 0 : digits, maximumFractionDigits: digits, useGrouping }).replace("-", "−");
}

// Return a function that writes numbers up to a size alike, with about four digits.
function alike(most) {
  const digits = 3 - Math.floor(Math.log10(most || 1));
  return digits > 12 ? shown : (number) => grouped(number, Math.min(Math.max(digits, 0), 12));
}

// Return two to four round numbers within a range, and a function that writes them.
function ticks([low, high], most = 3) {
  const rough = (high - low) / most, power = 10 ** Math.floor(Math.log10(rough)), step = power * [1, 2, 2.5, 5, 10].find((n) => n * power >= rough * 0.999);
  const first = Math.ceil(low / step - 1e-9), found = [];
  for (let i = first; i * step <= high + 1e-9 * step; i++) found.push(i * step);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9) + (Math.abs(step / power - 2.5) < 1e-9 ? 1 : 0));
  return { found, write: (number) => (digits > 12 || Math.abs(number) >= 1e15 ? shown(number) : grouped(number, digits)) };
}

function percent(share) {
  const number = 100 * share, digits = number > 99 && number < 100 ? 2 : number > 0 && number < 0.095 ? Math.min(1 - Math.floor(Math.log10(number)), 12) : 1;
  return `${number.toFixed(digits).replace(/\.0$/, "")} %`;
}

// Return a text on one line, without control characters, and shortened to so many characters.
function inALine(text, most = Infinity) {
  const line = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, "\u00b7");
  const characters = [...line];
  return characters.length > most ? `${characters.slice(0, most - 1).join("")}…` : line;
}

// Return a range that is a little wider than some numbers, for an axis.
function axisRange(numbers) {
  const known = numbers.filter(Number.isFinite);
  if (!known.length) return [0, 1];
  const low = Math.min(...known), high = Math.max(...known), room = (high - low) * 0.06 || Math.abs(high) * 0.05 || 1;
  return [low - room, high + room];
}

function picture(parent, title, description, height) {
  const svg = draw("svg", { class: "chart", role: "img", viewBox: `0 0 ${CHART.width} ${height}`, "font-size": 11 }, null);
  draw("title", {}, svg, title);
  draw("desc", {}, svg, description);
  parent.replaceChildren(svg);
  return svg;
}

// The chart of a curve: what is predicted if one column changes. Each of `points` is {x, y, low, high}; x are places.
function curveChart(parent, { points, range, ends, here, column, label, tick, axis, onPick }) {
  const { width, height, left, right, top, bottom } = CHART, base = height - bottom;
  const [first, last] = [points[0].x, points.at(-1).x];
  const at = (x) => left + (width - left - right) * (last > first ? (x - first) / (last - first) : 0.5);
  const up = (y) => base - (base - top) * Math.min(Math.max((y - range[0]) / (range[1] - range[0]), -0.02), 1.02);
  const known = points.filter(({ y }) => Number.isFinite(y));
  const described = known.length
    ? `${label} goes from ${tick(known[0].y)} at ${ends[0]} to ${tick(known.at(-1).y)} at ${ends[1]}, between ${tick(Math.min(...known.map(({ y }) => y)))} and ${tick(Math.max(...known.map(({ y }) => y)))}.`
    : "The model accepts none of these cells.";
  const svg = picture(parent, `${label} by ${column}`, described, height);
  draw("text", { x: 0, y: 11, class: "ch-label" }, svg, inALine(label, 40));
  draw("text", { x: (left + width - right) / 2, y: height - 4, "text-anchor": "middle", class: "ch-label" }, svg, inALine(column, 26));
  const { found, write } = axis ?? ticks(range);
  for (const y of found) {
    draw("line", { x1: left, x2: width - right, y1: up(y), y2: up(y), class: "ch-grid" }, svg);
    draw("text", { x: left - 5, y: up(y) + 4, "text-anchor": "end", class: "ch-tick" }, svg, write(y));
  }
  draw("text", { x: left, y: height - 19, class: "ch-tick" }, svg, ends[0]);
  draw("text", { x: width - right, y: height - 19, "text-anchor": "end", class: "ch-tick" }, svg, ends[1]);
  const band = known.filter(({ low, high }) => Number.isFinite(low) && Number.isFinite(high));
  if (band.length > 1) {
    const there = band.map(({ x, high }) => `${at(x)},${up(high)}`), back = band.map(({ x, low }) => `${at(x)},${up(low)}`).reverse();
    draw("path", { d: `M${[...there, ...back].join("L")}Z`, class: "ch-area ch-0", "fill-opacity": 0.15 }, svg);
  }
  if (known.length) draw("path", { d: `M${known.map(({ x, y }) => `${at(x)},${up(y)}`).join("L")}h0`, class: "ch-line ch-0", fill: "none", "stroke-width": 2, "stroke-linecap": "round", "stroke-linejoin": "round" }, svg);
  if (points.length <= 12) for (const { x, y } of known) draw("circle", { cx: at(x), cy: up(y), r: 2.5, class: "ch-area ch-0" }, svg);
  const rule = draw("line", { y1: top - 4, y2: base, class: "ch-rule", "stroke-dasharray": "3 3" }, svg);
  const mark = draw("circle", { r: 4.5, class: "ch-area ch-1 ch-mark" }, svg);
  const move = (point) => {
    const inside = point && Number.isFinite(point.x) && Number.isFinite(point.y);
    for (const node of [rule, mark]) node.toggleAttribute("hidden", !inside);
    if (!inside) return;
    const x = Math.min(Math.max(at(point.x), left - 4), width - right + 4);
    for (const [node, name, to] of [[rule, "x1", x], [rule, "x2", x], [mark, "cx", x], [mark, "cy", up(point.y)]]) node.setAttribute(name, to);
  };
  move(here);
  svg.addEventListener("click", (event) => {
    const { x } = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    onPick(first + (last - first) * Math.min(Math.max((x - left) / (width - left - right), 0), 1));
  });
  return move;
}

// The chart of a column of words: a bar for each of a few, the one of the row marked.
function wordChart(parent, { points, range, here, column, label, tick, onPick }) {
  const { width, right } = CHART, high = 17, top = 22, height = top + points.length * high + 18, left = 96, end = width - right - 46;
  const zero = range[0] <= 0 && range[1] >= 0 ? 0 : range[0];
  const at = (y) => left + (end - left) * Math.min(Math.max((y - range[0]) / (range[1] - range[0]), 0), 1);
  const described = `${points.map(({ name, y }) => `${inALine(name, 40)}: ${tick(y)}`).join(". ")}.`;
  const svg = picture(parent, `${label} by ${column}`, described, height);
  draw("text", { x: 0, y: 11, class: "ch-label" }, svg, inALine(label, 40));
  points.forEach(({ name, y, word }, i) => {
    const place = top + i * high, chosen = word === here, row = draw("g", { class: "word" }, svg);
    draw("rect", { x: 0, y: place, width, height: high, class: "hit" }, row);
    draw("text", { x: left - 6, y: place + 12, "text-anchor": "end", class: chosen ? "chosen" : "" }, row, inALine(name, 15));
    if (Number.isFinite(y)) {
      const [from, to] = [at(zero), at(y)].sort((a, b) => a - b);
      draw("rect", { x: from, y: place + 3, width: Math.max(to - from, 1), height: high - 6, rx: 2, class: `ch-area ${chosen ? "ch-1" : "ch-0"}`, "fill-opacity": chosen ? 0.85 : 0.45 }, row);
    }
    draw("text", { x: Math.max(at(y) || left, left) + 5, y: place + 12, class: "ch-tick" }, row, Number.isFinite(y) ? tick(y) : "-");
    row.addEventListener("click", () => onPick(word));
  });
  draw("text", { x: left, y: height - 4, class: "ch-label" }, svg, inALine(column, 26));
}
