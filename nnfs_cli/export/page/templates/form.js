// The form: a field for each column, with its curve, and a slider or a list of the words as trained.
"use strict";

const OTHER = "another word…";

// Return the text of a number in a field: as short as it can be.
const plain = (number) => String(Number(number.toPrecision(6)));

class Field {
  // `column` says what was trained; `accepts` which odd cells the model takes. `onChange` is called for each change.
  constructor(column, index, accepts, onChange) {
    Object.assign(this, column, { index, accepts, onChange });
    this.label = inALine(this.name);
    this.node = create("div", { class: "field" });
    create("label", { for: `field-${index}`, title: this.label.length > 60 ? this.label : null }, this.node, inALine(this.name, 60));
    const row = create("div", { class: "cell" }, this.node);
    if (this.kind === "category") this.addWords(row);
    else this.addText(row);
    this.note = create("p", { class: "note", id: `note-${index}` }, this.node);
    this.input.setAttribute("aria-describedby", this.note.id);
    this.chart = create("div", { class: "curve" }, this.node);
    if (this.kind === "number" && this.high > this.low) this.addSlider();
    this.reset();
  }

  addText(row) {
    const timed = this.kind === "date" && /T/.test(`${this.low}${this.high}`);
    const type = this.kind === "number" ? { type: "text", inputmode: "decimal", autocomplete: "off" } : { type: timed ? "datetime-local" : "date", step: timed ? 1 : null };
    this.input = create("input", { id: `field-${this.index}`, ...type }, row);
    this.input.addEventListener("input", () => this.changed());
  }

  addWords(row) {
    this.input = create("select", { id: `field-${this.index}` }, row);
    this.words.forEach((word, i) => create("option", { value: i }, this.input, inALine(word, 80) || "(a text without a character)"));
    if (this.accepts.gap) create("option", { value: "gap" }, this.input, "(empty)");
    if (this.accepts.other || !this.words.length) create("option", { value: "other" }, this.input, OTHER);
    this.other = create("input", { type: "text", "aria-label": `${this.label}, another word`, autocomplete: "off" }, row);
    for (const node of [this.input, this.other]) node.addEventListener("input", () => this.changed());
  }

  addSlider() {
    const { low, high, whole } = this, step = whole ? 1 : (high - low) / 500;
    this.slider = create("input", { type: "range", min: low, max: high, step: whole ? 1 : "any", "aria-label": `${this.label}, slider` }, this.node);
    this.slider.addEventListener("input", () => this.set(plain(Number(this.slider.value))));
    if (whole) return;
    this.slider.addEventListener("keydown", (event) => { // "any" has steps that are too large for some ranges
      const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
      if (!by) return;
      event.preventDefault();
      this.set(plain(Math.min(Math.max(Number(this.slider.value) + 5 * by * step, low), high)));
    });
  }

  reset() {
    const { start } = this;
    if (this.kind === "category") this.show(start);
    else this.input.value = start === null || start === undefined ? "" : this.kind === "number" ? plain(start) : this.atTime(start);
    this.follow();
  }

  // A field for a date with a time wants one.
  atTime(text) {
    return this.input.type === "date" ? text.slice(0, 10) : `${text}T00:00`.slice(0, 16);
  }

  show(word) {
    const place = this.words.indexOf(word);
    this.input.value = word === null && this.accepts.gap ? "gap" : place >= 0 ? place : "other";
    if (this.input.value === "other") this.other.value = word ?? "";
  }

  set(text) {
    if (this.kind === "category") this.show(text);
    else this.input.value = this.kind === "date" && text ? this.atTime(text) : text;
    this.changed();
  }

  changed() {
    this.follow();
    this.onChange(this);
  }

  // Let the parts of the field follow its cell.
  follow() {
    this.cell = this.read();
    if (this.other) this.other.hidden = this.input.value !== "other";
    if (this.slider && Number.isFinite(this.cell)) this.slider.value = this.cell;
    if (this.slider) this.slider.setAttribute("aria-valuetext", this.text());
    const { text, tone } = this.remark();
    this.note.textContent = text;
    this.note.className = `note ${tone}`;
    this.input.toggleAttribute("aria-invalid", tone === "bad");
  }

  read() {
    if (this.kind !== "category") return parseCell(this.kind, this.input.value);
    const { value } = this.input;
    return value === "gap" ? null : value === "other" ? this.other.value : this.words[Number(value)] ?? null;
  }

  get empty() {
    return this.kind === "number" ? Number.isNaN(this.cell) : this.kind === "date" ? this.cell === EMPTY_DATE : this.cell === null;
  }

  // What is said below the field, and how grave it is.
  remark() {
    if (this.cell === undefined) return { text: `This is no ${this.kind}.`, tone: "bad" };
    if (this.empty) return this.accepts.gap ? { text: "empty", tone: "" } : { text: "The model takes no empty cell here.", tone: "bad" };
    if (this.kind === "category") {
      const known = this.words.includes(this.cell) || !this.words.length;
      return { text: known || this.more ? "" : "No training row has this word.", tone: "warn" };
    }
    if (this.low === null || this.low === undefined) return { text: "", tone: "" };
    const ends = this.kind === "number" ? [this.low, this.high].map(shown) : [this.low, this.high].map((date) => date.slice(0, 10));
    const [low, high] = this.kind === "number" ? [this.low, this.high] : [parseDate(this.low), parseDate(this.high)];
    const trained = `trained on ${ends[0]} to ${ends[1]}`;
    return this.cell < low || this.cell > high ? { text: `outside: ${trained}`, tone: "warn" } : { text: trained, tone: "" };
  }

  // The cell in words, as in a reason.
  text() {
    if (this.cell === undefined || this.empty) return "";
    return this.kind === "number" ? shown(this.cell) : this.kind === "date" ? this.input.value.replace("T", " ") : inALine(this.cell);
  }

  // Return the cells of the curve, each with its place on the axis, and a text for categories.
  grid() {
    if (this.kind === "category") {
      const words = this.words.slice(0, 6);
      if (typeof this.cell === "string" && !words.includes(this.cell)) words.push(this.cell);
      const gap = this.accepts.gap && (this.missing > 0 || this.cell === null) ? [{ cell: null, name: "(empty)" }] : [];
      return [...words.map((word) => ({ cell: word, name: word })), ...gap];
    }
    if (this.low === null || this.low === undefined) return [];
    return this.kind === "number" ? this.numbers().map((x) => ({ cell: x, x })) : this.dates();
  }

  numbers() {
    const { low, high, whole, marks } = this;
    if (whole && high - low <= 40) return Array.from({ length: high - low + 1 }, (_, i) => low + i);
    const even = Array.from({ length: 29 }, (_, i) => low + ((high - low) * i) / 28);
    const all = [...even.map((x) => (whole ? Math.round(x) : x)), ...marks].sort((a, b) => a - b);
    return all.filter((x, i) => i === 0 || x > all[i - 1]);
  }

  dates() {
    const [low, high] = [parseDate(this.low), parseDate(this.high)], steps = 60n, whole = this.input.type === "date" ? DAY : 1n;
    const all = Array.from({ length: Number(steps) + 1 }, (_, i) => low + (((high - low) * BigInt(i)) / steps / whole) * whole);
    return all.filter((date, i) => i === 0 || date > all[i - 1]).map((date) => ({ cell: date, x: Number(date) }));
  }

  // Take a place of the curve that was pointed at.
  pick(x) {
    if (this.kind === "number") this.set(plain(this.whole ? Math.round(x) : x));
    else this.set(new Date(x / 1000).toISOString().slice(0, 16));
  }

  get ends() {
    return this.kind === "number" ? [this.low, this.high].map(shown) : [this.low, this.high].map((date) => date.slice(0, 10));
  }
}
