// Answer many rows: a table that is pasted or chosen as a file, and its answers as a table and as CSV.
"use strict";

const SHOWN_ROWS = 50, ROWS_AT_ONCE = 64;

// Why a text is no cell of a column.
function notOfKind({ name, kind }, text) {
  return `column '${inALine(name, 40)}' should hold ${kind === "number" ? "numbers" : "dates"}, found '${inALine(text, 40)}'`;
}

class Table {
  // `names` are the outputs; `onRow` takes the cells of a row into the form, as texts by the index of the column.
  constructor(pipeline, root, name, onRow) {
    Object.assign(this, { pipeline, root, name, onRow, generation: 0 });
    const part = (id) => root.querySelector(`#table-${id}`);
    [this.text, this.file, this.status, this.result, this.save] = ["text", "file", "status", "result", "save"].map(part);
    this.text.addEventListener("input", () => this.read(this.text.value));
    this.text.addEventListener("paste", (event) => { // a browser takes seconds to insert thousands of lines itself
      const { value, selectionStart, selectionEnd } = this.text;
      if (selectionEnd - selectionStart < value.length) return;
      event.preventDefault();
      this.text.value = event.clipboardData.getData("text/plain");
      this.read(this.text.value);
    });
    this.file.addEventListener("change", async () => {
      if (this.file.files.length) this.read(await this.file.files[0].text());
    });
    this.save.addEventListener("click", () => this.download());
  }

  say(text, tone = "") {
    this.status.textContent = text;
    this.status.className = `note ${tone}`;
  }

  async read(text) {
    const generation = ++this.generation;
    this.result.replaceChildren();
    this.save.hidden = true;
    const [header, ...rows] = readRows(text);
    if (!header) return this.say("");
    const { columns } = this.pipeline, places = columns.map(({ name }) => header.findIndex((title) => title === name || title.trim() === name));
    const missing = columns.filter((_, i) => places[i] < 0).map(({ name }) => `'${inALine(name, 40)}'`);
    if (missing.length) return this.say(`The first line lacks ${missing.length === 1 ? "the column" : "the columns"} ${missing.slice(0, 5).join(", ")}${missing.length > 5 ? ` and ${missing.length - 5} more` : ""}.`, "bad");
    if (!rows.length) return this.say("There are no rows below the first line.", "bad");
    this.header = header;
    this.answered = [];
    for (let start = 0; start < rows.length; start += ROWS_AT_ONCE) {
      if (start) await new Promise((done) => setTimeout(done));
      if (generation !== this.generation) return undefined;
      this.answered.push(...this.answer(rows.slice(start, start + ROWS_AT_ONCE), places));
      this.say(`${this.answered.length.toLocaleString("en-US")} of ${rows.length.toLocaleString("en-US")} rows`);
    }
    return this.done(places);
  }

  // Return rows with what is predicted for each, or with why nothing is.
  answer(rows, places) {
    const { columns } = this.pipeline;
    const cells = columns.map(({ kind }, i) => rows.map((row) => parseCell(kind, row[places[i]] ?? "")));
    const faults = rows.map((_, row) => columns.findIndex((column, i) => cells[i][row] === undefined));
    const gaps = { number: NaN, date: EMPTY_DATE, category: null };
    const { usable, outputs } = this.pipeline.predict(cells.map((column, i) => column.map((cell) => (cell === undefined ? gaps[columns[i].kind] : cell))));
    return rows.map((row, i) => {
      const wrong = faults[i];
      const fault = wrong >= 0 ? notOfKind(columns[wrong], row[places[wrong]]) : usable[i] ? "" : "a cell is empty or unknown where the model takes none";
      return { row, fault, found: fault ? null : outputs.map((output) => output[i]) };
    });
  }

  done(places) {
    const faulty = this.answered.filter(({ fault }) => fault), n = this.answered.length;
    const first = faulty.length ? `; ${faulty.length.toLocaleString("en-US")} cannot be used and ${faulty.length === 1 ? "has an empty prediction" : "have empty predictions"}, the first: row ${this.answered.indexOf(faulty[0]) + 1}, ${faulty[0].fault}` : "";
    this.say(`${n.toLocaleString("en-US")} ${n === 1 ? "row" : "rows"}${first}.${n > SHOWN_ROWS ? ` The first ${SHOWN_ROWS} are shown.` : ""}`, faulty.length ? "warn" : "");
    const table = create("table", {}, this.result), head = create("tr", {}, create("thead", {}, table));
    create("caption", {}, table, "Answers, with the cells that they are for");
    for (const title of ["row", ...this.pipeline.outputs.map(({ name }) => name), ...this.pipeline.columns.map(({ name }) => name)]) create("th", { scope: "col" }, head, inALine(title, 40));
    const body = create("tbody", {}, table);
    this.answered.slice(0, SHOWN_ROWS).forEach(({ row, fault, found }, i) => {
      const line = create("tr", {}, body), title = create("th", { scope: "row" }, line);
      const into = create("button", { type: "button", title: "Put this row into the form" }, title, String(i + 1));
      into.addEventListener("click", () => this.onRow(places.map((place) => row[place] ?? "")));
      if (fault) create("td", { colspan: this.pipeline.outputs.length, class: "bad" }, line, fault);
      else found.forEach((value) => create("td", {}, line, typeof value === "number" ? shown(value) : inALine(value, 60)));
      places.forEach((place) => create("td", { class: "soft" }, line, inALine(row[place] ?? "", 40)));
    });
    this.save.hidden = false;
  }

  // The rows as they were given, and their answers.
  csv() {
    const width = Math.max(this.header.length, ...this.answered.map(({ row }) => row.length)), { outputs } = this.pipeline;
    const wide = (row) => [...row, ...Array(width - row.length).fill("")];
    return csvText([
      [...wide(this.header), ...outputs.map(({ name }) => name)],
      ...this.answered.map(({ row, found }) => [...wide(row), ...outputs.map((_, k) => (found ? String(found[k]) : ""))]),
    ]);
  }

  download() {
    const url = URL.createObjectURL(new Blob([this.csv()], { type: "text/csv" }));
    const link = create("a", { href: url, download: `${this.name}-answers.csv` }, document.body);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  }
}
