// What each unit answers over the plane of the two inputs: small maps on the units, a large one beside the graph.
"use strict";

const DEEPEST = 0.62; // share of the full colour at the ends of a map, so that points stand out
const ON_A_UNIT = 0.95; // the same for a small map, which has no points
const BEND = 0.6; // of the numbers of a unit: where it is active at all differs from where it is 0
const ENDS = { minus: "--minus", plus: "--plus", middle: "--map-middle" };
const LEVELS = 16; // of the probability of a class, in a map of more than two

function rgb(node, name) {
  const probe = document.createElement("canvas").getContext("2d");
  probe.fillStyle = getComputedStyle(node).getPropertyValue(name).trim();
  probe.fillRect(0, 0, 1, 1);
  return probe.getImageData(0, 0, 1, 1).data;
}

class Plane {
  constructor(figure, maps, graph) {
    Object.assign(this, { figure, maps, graph, pictures: new Map() });
    this.large = figure.querySelector("canvas");
    this.caption = figure.querySelector(".of");
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.recolour());
    this.recolour();
    this.drawPoints();
  }

  recolour() {
    this.ends = Object.fromEntries(Object.entries(ENDS).map(([key, name]) => [key, rgb(this.figure, name)]));
    this.classes = Array.from({ length: 8 }, (_, k) => rgb(this.figure, `--c${k}`));
    this.pictures.clear();
    if (this.last) this.paint(...this.last);
  }

  // The picture of one map of `size` x `size` numbers. From -127 to 127 they go from minus over the middle to plus; in a
  // map of classes, each has its own colour, which is deeper where its probability is higher.
  picture(start, size, { unit = false, deepest = DEEPEST, classes = false }) {
    const key = `${start} ${deepest}`, known = this.pictures.get(key);
    if (known) return known;
    const canvas = Object.assign(document.createElement("canvas"), { width: size, height: size });
    const context = canvas.getContext("2d"), image = context.createImageData(size, size), { middle } = this.ends;
    for (let at = 0; at < size * size; at++) {
      const number = this.maps.bytes[start + at];
      const end = classes ? this.classes[Math.floor(number / LEVELS)] : number < 0 ? this.ends.minus : this.ends.plus;
      const share = classes ? (number % LEVELS) / (LEVELS - 1) : Math.abs(number) / 127;
      const much = deepest * (unit ? share ** BEND : share);
      for (let part = 0; part < 3; part++) image.data[4 * at + part] = middle[part] + (end[part] - middle[part]) * much;
      image.data[4 * at + 3] = 255;
    }
    context.putImageData(image, 0, 0);
    const made = { canvas, url: deepest === ON_A_UNIT ? canvas.toDataURL() : "" };
    this.pictures.set(key, made);
    if (this.pictures.size > 800) this.pictures.delete(this.pictures.keys().next().value);
    return made;
  }

  paint(frame, unit) {
    this.last = [frame, unit];
    const { per_frame, size, large } = this.maps, start = frame * per_frame;
    for (const each of this.graph.units) {
      each.map.setAttribute("href", this.picture(start + this.maps.units[each.c][each.u], size, { unit: true, deepest: ON_A_UNIT }).url);
    }
    const whole = !unit, place = whole ? this.maps.output : this.maps.units[unit.c][unit.u];
    const { canvas } = this.picture(start + place, whole ? large : size, { unit: !whole, classes: whole && this.maps.classes > 2 });
    this.large.getContext("2d").drawImage(canvas, 0, 0, this.large.width, this.large.height);
    const title = whole ? "Output of the net" : `${this.graph.data.columns[unit.c].title}, ${this.graph.nameOf(unit.c, unit.u)}`;
    this.caption.textContent = title;
    this.large.setAttribute("aria-label", `${title} over the plane of ${this.maps.names.join(" and ")}`);
  }

  // The training points over the map. Classes differ in colour and shape; numbers in sign and depth.
  drawPoints() {
    const svg = this.figure.querySelector("svg.points"), { points, low, high, classes } = this.maps, r = 0.9;
    const place = ([x0, x1]) => [(100 * (x0 - low[0])) / (high[0] - low[0]), 100 - (100 * (x1 - low[1])) / (high[1] - low[1])];
    const shapes = [
      (x, y) => `M${x - r},${y}a${r},${r} 0 1 0 ${2 * r},0a${r},${r} 0 1 0 ${-2 * r},0Z`,
      (x, y) => `M${x - r},${y - r}h${2 * r}v${2 * r}h${-2 * r}Z`,
      (x, y) => `M${x},${y - 1.2 * r}l${1.2 * r},${2.2 * r}h${-2.4 * r}Z`,
    ];
    for (const point of points) {
      const [x, y] = place(point), mark = point[2];
      const look = classes ? { class: classes > 2 ? `of-many kind-${mark % 8}` : `kind-${mark}` } : { class: sign(mark), "fill-opacity": 0.25 + 0.75 * Math.abs(mark) };
      element("path", { d: shapes[classes ? mark % 3 : 0](x, y), ...look }, svg);
    }
    this.rows = this.maps.rows.map((point) => {
      const [cx, cy] = place(point);
      return element("circle", { cx, cy, r: 2.4, class: "row" }, svg);
    });
  }

  markRow(row) {
    this.rows.forEach((node, i) => node.setAttribute("class", `row ${i === row ? "chosen" : ""}`));
  }
}
