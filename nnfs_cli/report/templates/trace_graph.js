// The net as a graph: units are circles in columns, weights are lines. It draws once, and paints for every state.
"use strict";

const SVG = "http://www.w3.org/2000/svg";
const TOP = 70; // room for the headings of the columns
const WIDEST_NAME = 150; // pixels for the names of inputs
const WIDEST_HEADING = 110; // the same for the heading of a narrow column
const TALLEST = 430; // of the units of a column
const REACH = 6; // pixels around a line in which the pointer is at it

function element(name, attributes, parent, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  if (parent) parent.append(made);
  return made;
}

const sign = (value) => (value < 0 ? "minus" : value > 0 ? "plus" : "zero");
const largest = (numbers) => numbers.reduce((most, value) => Math.max(most, Math.abs(value ?? 0)), 0);

// A number as the steps show it: 4 significant digits.
function shown(value) {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value), brief = size !== 0 && (size < 1e-4 || size >= 1e4);
  const text = brief ? value.toExponential() : String(value);
  return text.replace(/e([+-])(\d)$/, "e$10$2").replaceAll("-", "−");
}

class NetGraph {
  constructor(svg, data, frames, onChoose) {
    Object.assign(this, { svg, data, frames, onChoose, units: [], lines: [], chosen: null });
    this.layOut();
    this.kinds = [...new Set(data.columns.flatMap((column) => column.rings))];
    this.grounds = [];
    this.back = element("g", {}, svg);
    this.drawLinks();
    data.columns.forEach((column, c) => this.drawColumn(column, c));
    this.listen();
    // The width of a line compares with the largest weight between the two columns in all kept epochs.
    this.widest = data.links.map((_, k) => frames.reduce((most, f) => Math.max(most, largest(f.weights[k] ?? [])), 0));
  }

  // Columns of many units are staggered: every other unit stands to the right, so that all are large enough to see.
  layOut() {
    const { columns } = this.data;
    const drawn = columns.map((column) => column.units.length + (column.hidden ? 1 : 0));
    const room = Math.min(TALLEST, Math.max(170, 46 * Math.max(...drawn)));
    this.height = TOP + room + 14;
    const pitches = drawn.map((n) => Math.min(46, room / n));
    const staggered = pitches.map((pitch, c) => pitch < 28 && !columns[c].names); // names stand in one line
    this.radius = pitches.map((pitch, c) => Math.min(16, (staggered[c] ? 0.67 : 0.38) * pitch));
    const aside = this.radius.map((r, c) => (staggered[c] ? r + 4 : 0)); // units and their rings stand clear of each other
    const heads = columns.map((column) => Math.min(WIDEST_HEADING, this.measured(column.title, "heading") + 10));
    const roomOf = (c) => {
      const names = Math.max(0, ...(columns[c].names ?? []).map((name) => this.measured(name)));
      const beside = names && names + 12 + this.radius[c] - heads[c] / 2; // the names begin below the heading
      return Math.max(0, Math.min(WIDEST_NAME, this.svg.parentElement.clientWidth / 4, beside));
    };
    this.left = roomOf(0);
    this.right = columns.length > 1 ? roomOf(columns.length - 1) : 0;
    const wide = this.radius.map((r, c) => 2 * (r + aside[c])), units = wide.reduce((sum, one) => sum + one);
    const free = this.svg.parentElement.clientWidth - this.left - this.right - units;
    const between = Math.max(36, Math.min(215, free / columns.length));
    this.slots = wide.map((one, c) => Math.max(heads[c], one + between));
    this.width = this.left + this.slots.reduce((sum, one) => sum + one) + this.right;
    this.middle = this.slots.map((slot, c) => this.slots.slice(0, c).reduce((sum, one) => sum + one, this.left) + slot / 2);
    this.svg.setAttribute("viewBox", `0 0 ${this.width} ${this.height}`);
    this.svg.setAttribute("width", this.width);
    this.svg.setAttribute("height", this.height);
    this.places = columns.map((column, c) => {
      const first = TOP + (room - pitches[c] * drawn[c]) / 2 + pitches[c] / 2;
      const gapAfter = column.hidden ? column.hidden.after : Infinity;
      return column.units.map((_, u) => {
        const at = u >= gapAfter ? u + 1 : u;
        return { x: this.middle[c] + (at % 2 ? aside[c] : -aside[c]), y: first + pitches[c] * at };
      });
    });
  }

  measured(text, look = "name") {
    const node = element("text", { class: look }, this.svg, text), length = node.getComputedTextLength();
    node.remove();
    return length;
  }

  drawLinks() {
    const layer = (this.links = element("g", { class: "links", "aria-hidden": "true" }, this.svg));
    this.groups = this.data.links.map((link, k) => {
      const group = element("g", { class: `link ${link.kind}` }, layer);
      const from = this.places[link.from], to = this.places[link.to];
      if (link.kind === "weights") {
        from.forEach((a, i) => to.forEach((b, j) => {
          const ends = { x1: a.x + this.radius[link.from], y1: a.y, x2: b.x - this.radius[link.to], y2: b.y };
          const node = element("line", ends, group);
          this.lines.push({ node, k, i, j, at: i * to.length + j, ...ends });
        }));
      } else if (link.kind === "shortcut") {
        const [a, b] = [this.middle[link.from], this.middle[link.to]];
        const [y, z] = [from[0].y - this.radius[link.from] - 5, to[0].y - this.radius[link.to] - 5];
        element("path", { d: `M${a},${y} C${a + 30},${y - 26} ${b - 30},${z - 26} ${b},${z}` }, group);
      } else {
        const [a, z] = [from[0], from.at(-1)], [b, y] = [to[0], to.at(-1)];
        const left = a.x + this.radius[link.from], right = b.x - this.radius[link.to];
        element("path", { d: `M${left},${a.y - 8} L${right},${b.y - 8} V${y.y + 8} L${left},${z.y + 8} Z` }, group);
      }
      return group;
    });
  }

  drawColumn(column, c) {
    const group = element("g", { class: "column" }, this.svg);
    const x = this.middle[c];
    const ground = { x: x - this.slots[c] / 2 + 6, y: 1, width: this.slots[c] - 12, height: this.height - 2, rx: 8, class: "ground" };
    this.grounds[c] = element("rect", ground, this.back);
    this.fit(element("text", { x, y: 21, class: "heading" }, group, column.title), this.slots[c] - 8);
    const rings = element("text", { x, y: 39, class: "rings" }, group);
    column.rings.forEach((name, i) => element("tspan", { class: this.hue(name) }, rings, `${i ? " → " : ""}${name}`));
    this.fit(rings, this.slots[c] - 8);
    column.units.forEach((index, u) => {
      const { x, y } = this.places[c][u], r = this.radius[c];
      const node = element("g", { class: "unit", tabindex: -1, role: "img" }, group);
      const box = (grow, rx) => ({ x: x - r - grow, y: y - r - grow, width: 2 * (r + grow), height: 2 * (r + grow), rx });
      const shape = (grow, name) => (this.data.maps
        ? element("rect", { ...box(grow, 3), class: name }, node)
        : element("circle", { cx: x, cy: y, r: r + grow, class: name }, node));
      shape(4, "focus");
      shape(0, "back");
      const map = this.data.maps ? element("image", box(0, 0), node) : null;
      const disc = shape(0, "disc");
      const ring = column.rings.length ? shape(2, "ring") : null;
      if (c === 0 && column.names) {
        const name = element("text", { x: x - r - 7, y: y + 4, class: "name", "aria-hidden": true }, group, column.names[u]);
        this.fit(name, this.left + this.slots[c] / 2 - r - 8);
      }
      if (c === this.places.length - 1 && c > 0 && column.names) {
        const name = element("text", { x: x + r + 7, y: y + 4, class: "answer", "aria-hidden": true }, group, column.names[u]);
        this.fit(name, this.right + this.slots[c] / 2 - r - 8);
      }
      this.units.push({ node, disc, ring, map, c, u, index });
    });
    if (column.hidden) {
      const before = this.places[c][column.hidden.after - 1], after = this.places[c][column.hidden.after];
      element("text", { x, y: (before.y + after.y) / 2 + 4, class: "more" }, group, `… ${column.hidden.count} more`);
    }
  }

  nameOf(c, u) {
    const { names, units } = this.data.columns[c];
    return names?.[u] ?? `unit ${units[u]}`;
  }

  // The colour of an activation: each kind has its own.
  hue(kind) {
    return `hue-${this.kinds.indexOf(kind) % 6}`;
  }

  // Shorten a text until it fits its place; the whole text is in a tooltip.
  fit(node, room) {
    const whole = node.textContent;
    for (let n = whole.length; n > 1 && node.getComputedTextLength() > room; n--) {
      node.textContent = `${whole.slice(0, n - 1)}…`;
    }
    if (node.textContent !== whole) element("title", {}, node, whole);
  }

  listen() {
    this.units.forEach((unit) => {
      const choose = () => this.choose({ unit });
      unit.node.addEventListener("pointerenter", choose);
      unit.node.addEventListener("focus", choose);
      unit.node.addEventListener("click", choose);
      unit.node.addEventListener("keydown", (event) => this.move(event, unit));
    });
    this.units[0].node.setAttribute("tabindex", 0);
    this.svg.addEventListener("pointerleave", () => this.leave());
    this.svg.addEventListener("focusout", () => this.leave());
    this.svg.addEventListener("pointermove", (event) => {
      if (event.target.closest(".unit")) return;
      const line = this.lineAt(event);
      if (line) this.choose({ line });
    });
  }

  lineAt(event) {
    const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(this.svg.getScreenCTM().inverse());
    let nearest = null, least = REACH;
    for (const line of this.lines) {
      if (x < line.x1 || x > line.x2) continue;
      const slope = (line.y2 - line.y1) / (line.x2 - line.x1);
      const distance = Math.abs(line.y1 + slope * (x - line.x1) - y) / Math.hypot(1, slope);
      if (distance < least) [nearest, least] = [line, distance];
    }
    return nearest;
  }

  // The arrow keys walk from unit to unit; up and down within a column, left and right between columns.
  move(event, { c, u }) {
    const by = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    const column = Math.min(Math.max(c + by[0], 0), this.places.length - 1);
    const row = Math.min(Math.max(u + by[1], 0), this.places[column].length - 1);
    this.units.find((unit) => unit.c === column && unit.u === row).node.focus();
  }

  // Nothing is pointed at any more; what was chosen last stays beside the graph.
  leave() {
    this.pointed = false;
    this.links.classList.remove("some");
    this.onChoose(this.chosen);
  }

  choose(chosen, pointed = true) {
    Object.assign(this, { chosen, pointed });
    this.links.classList.toggle("some", pointed && Boolean(chosen.unit));
    this.units.forEach(({ node }) => node.setAttribute("tabindex", -1));
    (chosen.unit ?? this.units[0]).node.setAttribute("tabindex", 0);
    this.onChoose(chosen);
  }

  // Paint one state: `values` and `slopes` of the units by column (null where the pass has not been), the numbers of
  // the lines, and what the current step is about.
  paint({ frame, values, slopes, weights, active, backward }) {
    const most = values.map((column) => largest(column ?? [])), steepest = slopes.map((column) => largest(column ?? []));
    for (const { node, disc, ring, map, c, u } of this.units) {
      const value = (backward ? slopes : values)[c]?.[u] ?? null, scale = (backward ? steepest : most)[c] || 1;
      disc.setAttribute("class", `disc ${value === null ? "unknown" : sign(value)}`);
      const much = value === null ? 0 : (0.12 + 0.88 * Math.abs(value) / scale).toFixed(3);
      disc.setAttribute("fill-opacity", map ? 0 : much);
      map?.setAttribute("opacity", value === null ? 0.6 : 1);
      ring?.setAttribute("class", `ring ${this.hue(this.data.columns[c].rings.at(-1))} ${active.ring && active.column === c ? "active" : ""}`);
      node.setAttribute("class", `unit ${this.chosen?.unit?.node === node ? "chosen" : ""}`);
      const place = `${this.data.columns[c].title}, ${this.nameOf(c, u)}`;
      node.setAttribute("aria-label", `${place}: ${backward ? "gradient" : "value"} ${shown(value)}`);
    }
    this.grounds.forEach((ground, c) => ground.setAttribute("class", `ground ${active.column === c ? "active" : ""}`));
    this.groups.forEach((group, k) => {
      const quiet = active.link !== null && active.link !== k;
      group.setAttribute("class", `link ${this.data.links[k].kind} ${quiet ? "quiet" : ""} ${active.link === k ? "active" : ""}`);
    });
    const top = this.data.links.map((_, k) => (weights === frame.weights ? this.widest[k] : largest(weights[k] ?? [])) || 1);
    for (const line of this.lines) {
      const value = weights[line.k]?.[line.at] ?? 0, share = Math.min(1, Math.abs(value) / top[line.k]);
      const { unit, line: one } = this.chosen ?? {};
      const touched = one === line || (unit && ((unit.c === this.data.links[line.k].to && unit.u === line.j) || (unit.c === this.data.links[line.k].from && unit.u === line.i)));
      line.node.setAttribute("class", `${sign(value)} ${touched ? "chosen" : ""}`);
      line.node.setAttribute("stroke-width", (0.4 + 3.4 * share).toFixed(2));
      line.node.setAttribute("stroke-opacity", (0.1 + 0.8 * share).toFixed(2));
    }
  }
}
