// The page of a trace: steps forth and back, rows, epochs. Python computed every number; this shows them.
"use strict";

async function unpacked(text) {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).arrayBuffer();
}

const find = (selector) => document.querySelector(selector);
const all = (selector) => [...document.querySelectorAll(selector)];
const narrow = matchMedia("(max-width: 60rem)");
const still = matchMedia("(prefers-reduced-motion: reduce)");

class TracePage {
  constructor(data, frames) {
    Object.assign(this, { data, frames, step: 0, frame: data.start, row: 0, unit: null, playing: null });
    this.steps = all(".step");
    this.blocks = all("[data-block]");
    this.numbers = [];
    all(".step .n").forEach((node) => { this.numbers[node.dataset.n] = node; });
    this.graph = new NetGraph(find(".net svg"), data, frames, (chosen) => this.choose(chosen));
    this.plane = data.maps ? new Plane(find(".plane"), data.maps, this.graph) : null;
    this.order = new Map(data.columns.flatMap((column) => column.places).map((place, i) => [place, i]));
    this.listen();
    this.openAnchor();
    const names = data.columns.at(-1).names, right = names?.indexOf(data.targets[0]) ?? -1; // the output of its class
    this.graph.choose({ unit: this.graph.units.at(right < 0 ? -1 : right - names.length) }, false);
  }

  listen() {
    const go = { first: () => 0, back: () => this.step - 1, next: () => this.step + 1, last: () => Infinity };
    for (const [name, to] of Object.entries(go)) find(`.go-${name}`).addEventListener("click", () => this.go(to()));
    document.addEventListener("keydown", (event) => {
      if (event.target.closest("input, select, .unit, [tabindex='0'].scroll") || event.altKey || event.ctrlKey || event.metaKey) return;
      const to = { ArrowRight: go.next, ArrowLeft: go.back, Home: go.first, End: go.last }[event.key];
      if (!to) return;
      event.preventDefault();
      this.go(to());
    });
    addEventListener("hashchange", () => this.openAnchor());
    all(".steps a").forEach((link, i) => link.addEventListener("click", (event) => {
      event.preventDefault(); // the graph stays in view
      this.go(i);
      if (narrow.matches) find(".where").scrollIntoView({ block: "nearest" }); // there, the list is below the step
    }));
    all("input[name=row], #row").forEach((input) => input.addEventListener("change", () => this.set({ row: Number(input.value) })));
    find("#epoch")?.addEventListener("input", (event) => {
      this.frame = Number(event.target.value);
      this.stop();
    });
    find(".play")?.addEventListener("click", () => this.play());
  }

  openAnchor() {
    const at = this.steps.findIndex((step) => `#${step.id}` === location.hash);
    if (at >= 0) this.set({ step: at });
  }

  go(step) {
    this.set({ step: Math.min(Math.max(step, 0), this.steps.length - 1) });
    history.replaceState(null, "", `#${this.steps[this.step].id}`);
  }

  set(change) {
    Object.assign(this, change);
    this.show();
  }

  choose({ unit = null, line = null }) {
    Object.assign(this, { unit, line });
    this.show();
  }

  // Where motion is not wanted, each press shows the next epoch.
  play() {
    const next = () => this.set({ frame: (this.frame + 1) % this.frames.length });
    if (this.playing) {
      this.stop();
      return;
    }
    next();
    if (still.matches) return;
    this.playing = setInterval(() => {
      if (this.frame === this.frames.length - 1) this.stop();
      else next();
    }, 350);
    this.show();
  }

  stop() {
    clearInterval(this.playing);
    this.playing = null;
    this.show();
  }

  show() {
    this.showStep();
    this.showFrame();
    const state = this.state();
    this.graph.paint(state);
    this.showPlace(state);
    this.plane?.paint(this.frame, this.graph.pointed ? this.unit : null);
    this.plane?.markRow(this.row);
  }

  showStep() {
    this.steps.forEach((step, i) => step.classList.toggle("current", i === this.step));
    all(".steps a").forEach((link, i) => {
      if (i === this.step) link.setAttribute("aria-current", "step");
      else link.removeAttribute("aria-current");
    });
    const { phase } = this.steps[this.step].dataset, title = this.steps[this.step].querySelector("h3").textContent;
    find(".where").replaceChildren(`Step ${this.step + 1} of ${this.steps.length}, ${this.data.phases[phase]}`);
    find(".where").setAttribute("aria-label", `Step ${this.step + 1} of ${this.steps.length}, ${this.data.phases[phase]}: ${title}`);
    const row = this.data.rows[this.row];
    find(".painted").textContent = phase === "backward"
      ? `Units: the gradient of the loss with respect to their output, for row ${row}. Lines: the gradients of the weights.`
      : `Units: their output for row ${row}. Lines: the weights.`;
    for (const [name, off] of [["first", 0], ["back", 0], ["next", this.steps.length - 1], ["last", this.steps.length - 1]]) {
      find(`.go-${name}`).setAttribute("aria-disabled", this.step === off);
    }
  }

  showFrame() {
    const frame = this.frames[this.frame];
    if (this.written !== frame) {
      frame.texts.forEach((text, i) => {
        const node = this.numbers[i];
        if (text === null || !node) return;
        if (node.textContent !== text) node.textContent = text;
        if (node.dataset.sign !== undefined) node.dataset.sign = text.startsWith("−") ? "minus" : text === "0" ? "zero" : "plus";
      });
      this.blocks.forEach((block) => { block.hidden = frame.texts[block.dataset.block] === null; });
      this.written = frame;
    }
    const slider = find("#epoch");
    if (slider) {
      slider.value = this.frame;
      slider.setAttribute("aria-valuetext", frame.epoch);
      find(".epoch-shown").textContent = frame.epoch;
      find(".play").textContent = this.playing ? "Pause" : still.matches ? "Next epoch" : "Play";
    }
    find(".loss-shown").textContent = frame.loss;
    all(".step [data-row]").forEach((line) => line.classList.toggle("chosen", Number(line.dataset.row) === this.row));
  }

  // What the graph shows at this step: how far the forward or the backward pass has come.
  state() {
    const frame = this.frames[this.frame], { phase, place } = this.steps[this.step].dataset;
    const backward = phase === "backward", forward = phase === "forward" || phase === "data";
    const at = this.placeOf(phase, place);
    const link = this.data.links.findIndex((one) => (one.place === place && one.kind !== "shortcut") || one.parameters.includes(place));
    const named = this.data.columns.findIndex((one) => one.places.includes(place));
    const column = named < 0 && link >= 0 ? this.data.links[link].to : phase === "data" ? 0 : named;
    const reached = (one) => one.places.filter((name) => !forward || at < 0 || this.order.get(name) <= at).at(-1);
    const passed = (one) => one.places.find((name) => at < 0 || this.order.get(name) >= at);
    return {
      frame, backward, phase,
      values: this.data.columns.map((one) => frame.values[reached(one)]?.[this.row] ?? null),
      slopes: this.data.columns.map((one) => (backward ? frame.slopes[passed(one)]?.[this.row] ?? null : null)),
      weights: backward ? frame.gradients.map((gradient, k) => (this.after(k, at) ? gradient : null)) : frame.weights,
      active: { column, link: link >= 0 ? link : null, ring: column >= 0 && this.data.columns[column].places.indexOf(place) > 0 },
    };
  }

  // How far the pass has come: the number of a layer in their order. -1 is before the first or after the last one.
  placeOf(phase, place) {
    if (phase === "data") return 0;
    if (phase !== "backward") return this.order.get(place) ?? -1;
    if (place === "loss.together") return this.order.size - 2;
    return this.order.get(place) ?? this.order.size - 1;
  }

  after(k, at) {
    return at < 0 || (this.order.get(this.data.links[k].place) ?? -1) >= at;
  }

  // The numbers of the unit or the line that was chosen last.
  showPlace({ frame }) {
    const box = find(".place"), { columns, links } = this.data;
    if (!this.unit && !this.line) return;
    const name = (c, u) => this.graph.nameOf(c, u);
    if (this.line) {
      const { k, i, j, at } = this.line, link = links[k];
      const facts = [["weight", frame.weights[k][at]], ["its gradient", frame.gradients[k]?.[at]]];
      box.replaceChildren(...this.facts(`${name(link.from, i)} → ${columns[link.to].title}, ${name(link.to, j)}`, facts));
      return;
    }
    const { c, u } = this.unit, column = columns[c];
    const facts = column.places.flatMap((place, i) => [
      [place === "inputs" ? "value" : `output of ${column.kinds[i]}`, frame.values[place]?.[this.row]?.[u]],
      ["its gradient", frame.slopes[place]?.[this.row]?.[u]],
    ]);
    const bias = frame.biases[c]?.[u];
    if (bias !== undefined) facts.push(["bias", bias]);
    box.replaceChildren(...this.facts(`${column.title}, ${name(c, u)}`, facts), ...this.inputsOf(c, u, frame, name));
  }

  facts(title, facts) {
    const heading = Object.assign(document.createElement("h3"), { textContent: title });
    const list = document.createElement("dl");
    for (const [label, value] of facts.filter(([, number]) => number !== undefined && number !== null)) {
      list.append(Object.assign(document.createElement("dt"), { textContent: label }));
      const number = Object.assign(document.createElement("dd"), { textContent: shown(value) });
      number.dataset.sign = sign(value);
      list.append(number);
    }
    return [heading, list];
  }

  // A table of the weights into a unit: the value that comes in, the weight, and their product.
  inputsOf(c, u, frame, name) {
    const k = this.data.links.findIndex((link) => link.to === c && link.kind === "weights");
    if (k < 0) return [];
    const link = this.data.links[k], from = this.data.columns[link.from], n = this.data.columns[c].units.length;
    const values = frame.values[from.places.at(-1)]?.[this.row] ?? [];
    const table = document.createElement("table");
    const line = (tag, cells) => {
      const row = table.insertRow();
      cells.forEach((cell, i) => {
        const made = document.createElement(i ? tag : "th");
        if (tag === "th" || !i) made.scope = tag === "th" ? "col" : "row";
        made.textContent = typeof cell === "string" ? cell : shown(cell);
        if (typeof cell === "number") made.dataset.sign = sign(cell);
        row.append(made);
      });
    };
    line("th", ["from", "input", "weight", "product"]);
    from.units.forEach((_, i) => {
      const weight = frame.weights[k][i * n + u];
      line("td", [name(link.from, i), values[i] ?? null, weight, Number(((values[i] ?? 0) * weight).toPrecision(4))]);
    });
    const box = Object.assign(document.createElement("div"), { className: "into scroll", tabIndex: 0, role: "group" });
    box.setAttribute("aria-label", "Weights into this unit");
    box.append(table);
    return [box];
  }
}

async function start() {
  const data = JSON.parse(find("#trace-data").textContent);
  const frames = JSON.parse(new TextDecoder().decode(await unpacked(data.frames)));
  if (data.maps) data.maps.bytes = new Int8Array(await unpacked(data.maps.packed));
  new TracePage(data, frames).show();
}

start().catch((error) => {
  document.documentElement.classList.remove("stepping"); // all steps stand one below the other, as without scripts
  throw error;
});
