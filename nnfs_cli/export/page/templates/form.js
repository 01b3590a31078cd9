// The form: a field for each column, with its curve, and a slider or a list of the words as trained.
"use strict";

const OTHER = "another category…";

// Return the text of a number in a field: as short as it can be.
const plain = (number) => String(Number(number.toPrecision(6)));

class Field {
  // `column` says what was trained; `accepts` which odd cells the model takes. `onChange` is called for each change.
  constructor(column, index, accepts, onChange) {
    Object.assign(this, column, { index, accepts, onChange, marks: column.marks ?? [] });
    this.timed = this.kind === "date" && /T/.test(`${this.low}${this.high}`);
    this.range = this.rangeAsTrained();
    this.view = this.range && this.rangeInView(this.range);
    this.label = inALine(this.name);
    this.node = create("div", { class: "field" });
    create("label", { for: `field-${index}`, title: this.label.length > 60 ? this.label : null }, this.node, inALine(this.name, 60));
    const row = create("div", { class: "cell" }, this.node);
    if (this.kind === "category") this.addWords(row);
    else this.addText(row);
    this.note = create("p", { class: "note", id: `note-${index}` }, this.node);
    this.input.setAttribute("aria-describedby", this.note.id);
    this.chart = create("div", { class: this.range ? "curve ordered" : "curve" }, this.node);
    if (this.range && this.range[1] > this.range[0]) this.addSlider(this.view);
    this.reset();
  }

  // The least and the largest place of the training rows: numbers, or days since 1970; null for words.
  rangeAsTrained() {
    if (this.kind === "category" || this.low === null || this.low === undefined) return null;
    const ends = this.kind === "number" ? [this.low, this.high] : [this.low, this.high].map(parseDate);
    return ends.includes(null) ? null : ends.map((cell) => this.placeOf(cell));
  }

  // The part of the range that curves and sliders show: without the long tails of a column.
  rangeInView([low, high]) {
    const marks = this.marks.map((mark) => (this.kind === "number" ? mark : this.placeOf(parseDate(mark) ?? 0n)));
    const [first, last] = [marks[0] ?? low, marks.at(-1) ?? high], room = 1.5 * (last - first);
    return high - low > 3 * room && room > 0 ? [Math.max(low, first - room), Math.min(high, last + room)] : [low, high];
  }

  placeOf(cell) {
    return this.kind === "number" ? cell : Number(cell) / Number(DAY);
  }

  // The text of the cell at a place.
  textAt(place) {
    if (this.kind === "number") return plain(this.whole ? Math.round(place) : place);
    return new Date((this.timed ? place : Math.round(place)) * 86_400_000).toISOString().slice(0, this.timed ? 16 : 10);
  }

  addText(row) {
    const dated = { type: this.timed ? "datetime-local" : "date", step: this.timed ? 1 : null };
    this.input = create("input", { id: `field-${this.index}`, ...(this.kind === "number" ? { type: "text", inputmode: "decimal", autocomplete: "off" } : dated) }, row);
    this.input.addEventListener("input", () => this.changed());
  }

  addWords(row) {
    this.input = create("select", { id: `field-${this.index}` }, row);
    this.words.forEach((word, i) => create("option", { value: i }, this.input, inALine(word, 80) || "(a text without a character)"));
    if (this.accepts.gap) create("option", { value: "gap" }, this.input, "(empty)");
    if (this.accepts.other || !this.words.length) create("option", { value: "other" }, this.input, OTHER);
    this.other = create("input", { type: "text", "aria-label": `${this.label}, another category`, autocomplete: "off" }, row);
    for (const node of [this.input, this.other]) node.addEventListener("input", () => this.changed());
  }

  addSlider([low, high]) {
    const step = this.whole || (this.kind === "date" && !this.timed) ? 1 : "any";
    this.slider = create("input", { type: "range", min: low, max: high, step, "aria-label": `${this.label}, slider` }, this.node);
    this.slider.addEventListener("input", () => this.set(this.textAt(Number(this.slider.value))));
    if (step === 1) return;
    this.slider.addEventListener("keydown", (event) => { // "any" has steps of 1, which are too large for some ranges
      const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
      if (!by) return;
      event.preventDefault();
      this.set(this.textAt(Math.min(Math.max(Number(this.slider.value) + (by * (high - low)) / 100, low), high)));
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
    return this.timed ? `${text.replace(" ", "T")}T00:00`.slice(0, text.length > 16 ? text.length : 16) : text.slice(0, 10);
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
    if (this.slider && this.cell !== undefined && !this.empty) this.slider.value = this.placeOf(this.cell);
    this.slider?.setAttribute("aria-valuetext", this.text());
    const { text, tone } = this.remark();
    this.note.textContent = text;
    this.note.className = `note ${tone}`;
    this.input.setAttribute("aria-invalid", tone === "bad");
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
    if (this.cell === undefined) {
      const comma = this.kind === "number" && parseCell("number", this.input.value.replace(",", ".")) !== undefined;
      return { text: `This is no ${this.kind}${comma ? "; the decimal mark is a point" : ""}.`, tone: "bad" };
    }
    if (this.empty) return this.accepts.gap ? { text: "empty", tone: "" } : { text: "The model takes no empty cell here.", tone: "bad" };
    if (this.kind === "category") {
      const known = this.words.includes(this.cell) || !this.words.length;
      return { text: known || this.more ? "" : "No training row has this category.", tone: "warn" };
    }
    if (!this.range) return { text: this.meaning, tone: "" };
    const place = this.placeOf(this.cell), ends = new Set(this.range.map((end) => this.shownAt(end)));
    const trained = `trained on ${ends.size > 1 ? [...ends].join(" to ") : `${[...ends][0]} alone`}`;
    const outside = place < this.range[0] || place > this.range[1];
    return { text: [this.meaning, outside ? `outside: ${trained}` : trained].filter(Boolean).join("; "), tone: outside ? "warn" : "" };
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
    return this.range ? this.places().map((x) => ({ x, cell: parseCell(this.kind, this.textAt(x)) })) : [];
  }

  // Evenly spaced places, and those between the tenths of the training rows, in order.
  places() {
    const [low, high] = this.view, one = this.whole || (this.kind === "date" && !this.timed);
    if (one && high - low <= 40) return Array.from({ length: high - low + 1 }, (_, i) => low + i);
    const even = Array.from({ length: 29 }, (_, i) => low + ((high - low) * i) / 28);
    const marks = this.marks.map((mark) => (this.kind === "number" ? mark : this.placeOf(parseDate(mark) ?? 0n)));
    const all = [...even, ...marks].map((x) => (one ? Math.round(x) : x)).filter((x) => x >= low && x <= high).sort((a, b) => a - b);
    return all.filter((x, i) => i === 0 || x > all[i - 1]);
  }

  // The places at the ends of the curve, for people.
  get ends() {
    return this.view.map((place) => this.shownAt(place));
  }

  shownAt(place) {
    return this.kind === "number" ? shown(this.whole ? Math.round(place) : place) : this.textAt(place).slice(0, 10);
  }
}
