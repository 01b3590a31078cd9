// The page: predict what the form holds as it changes, then explain it, then draw what else could be.
"use strict";

(() => {
  const at = (id) => document.getElementById(id);
  const page = JSON.parse(at("page").textContent), pipeline = new Pipeline(JSON.parse(at("model").textContent));
  const explainer = page.reasons ? new Explainer(pipeline, page.reasons) : null;
  const answer = new Answer(page, at("headline"), at("details"), at("reasons"));
  const SLICE = 12; // milliseconds of work without a pause
  const cost = costOfRow(), atOnce = Math.max(1, Math.min(32, Math.floor(SLICE / cost)));
  const accepts = accepted();
  const fields = page.fields.map((column, i) => new Field(column, i, accepts[i], update));
  const visible = new Set();
  let work = null, spoken = 0, range = null, scheduled = false;

  const curves = shownNumbers();

  // Return for each column whether the model takes an empty cell, and a word that it has not seen. A net that is too
  // large to be asked takes gaps where it was trained with some.
  function accepted() {
    if (cost * page.fields.length > 500) return page.fields.map(({ missing }) => ({ gap: missing > 0, other: true }));
    const starts = page.fields.map(startOf), gaps = { number: NaN, date: EMPTY_DATE, category: null };
    const ask = (cellOf) => pipeline.predict(starts.map((cell, i) => starts.map((_, row) => (row === i ? cellOf(page.fields[i], cell) : cell)))).usable;
    const usable = ask((field, cell) => cell), gap = ask(({ kind }) => gaps[kind]), other = ask(({ kind }, cell) => (kind === "category" ? "\u0000 no such word" : cell));
    return page.fields.map(({ missing }, i) => ({ gap: usable[i] ? Boolean(gap[i]) : missing > 0, other: usable[i] ? Boolean(other[i]) : true }));
  }

  // Return the milliseconds that a row takes among others; the first times are slower.
  function costOfRow() {
    const row = page.fields.map((field) => [startOf(field)]), took = [];
    for (const begin = performance.now(); took.length < 8 && performance.now() - begin < 200;) {
      const start = performance.now();
      pipeline.predict(row);
      took.push(performance.now() - start);
    }
    return Math.max(Math.min(...took) / 2, 0.01);
  }

  function startOf({ kind, start }) {
    if (kind === "category") return start ?? null;
    if (start === null || start === undefined) return kind === "number" ? NaN : EMPTY_DATE;
    return kind === "number" ? start : parseDate(start);
  }

  // The numbers that curves can show: a prediction with its bounds, or the probability of a class.
  function shownNumbers() {
    const found = page.answers.flatMap((one) => {
      if (!one.shares.length) return one.labels ? [] : [{ label: one.target, y: one.prediction, low: one.lower, high: one.upper, tick: shown }];
      const shares = one.shares.length === 2 ? one.shares.slice(1) : one.shares, of = page.answers.length > 1 ? `${one.target} = ` : "";
      return shares.map(([label, y]) => ({ label: `${one.kind} of ${of}${label}`, y, low: null, high: null, tick: (number) => share(one.kind, number), axis: one.kind === "probability" ? { found: [0, 0.5, 1], write: percent } : null }));
    });
    const select = at("shown");
    found.forEach(({ label }, i) => create("option", { value: i }, select, inALine(label, 60)));
    select.parentElement.hidden = found.length < 2;
    select.value = likeliest();
    select.addEventListener("input", () => { forget(); update(null); });
    return { all: found, get now() { return found[Number(select.value) || 0]; } };
  }

  // Curves begin with the class that the start values are predicted as.
  function likeliest() {
    const { outputs } = pipeline.predict(fields.map(({ cell }) => [cell])), [first, ...others] = page.answers;
    return others.length || !first?.shares.length ? 0 : Math.max(first.shares.length === 2 ? 0 : first.labels.indexOf(outputs[first.prediction][0]), 0);
  }

  function forget() {
    range = null;
    for (const field of fields) field.curve = field.curveFor = null;
  }

  // Predict at once; what follows is done in slices, and dropped when something changes again.
  function update(changed) {
    work = steps(changed);
    work.next();
    if (!scheduled) schedule();
  }

  function schedule() {
    scheduled = true;
    setTimeout(() => {
      const end = performance.now() + SLICE;
      scheduled = false;
      while (work && performance.now() < end) if (work.next().done) work = null;
      if (work) schedule();
    });
  }

  function* steps(changed) {
    const cells = fields.map(({ cell }) => cell), wrong = fields.find(({ cell }) => cell === undefined);
    if (wrong) return answer.refuse(`'${inALine(wrong.name, 40)}' holds no ${wrong.kind}.`);
    const { encoded, usable, outputs: places } = pipeline, columns = cells.map((cell) => [cell]);
    const [fit, X, ...found] = pipeline.run(pipeline.cells(columns), [usable, encoded ?? usable, ...places.map(({ place }) => place)]);
    const outputs = found.map(({ data }) => data[0]);
    if (!fit.data[0]) {
      answer.refuse(refusal(cells));
      return undefined;
    }
    answer.show(outputs);
    speak();
    yield;
    if (explainer) {
      const effects = yield* explainer.effects(X.data, atOnce);
      answer.showReasons(explainer, effects, outputs, fields);
      yield;
    }
    return yield* drawn(cells, outputs, changed);
  }

  // Name the fields that the model refuses beside cells that it accepts.
  function refusal(cells) {
    const starts = page.fields.map(startOf);
    const { usable } = pipeline.predict(starts.map((start, i) => starts.map((_, row) => (row === i ? cells[i] : start))));
    const names = fields.filter((_, i) => !usable[i]).map(({ name }) => `'${inALine(name, 40)}'`);
    if (!names.length) return "The model has no prediction for these cells.";
    return `The model has no prediction for ${names.length === 1 ? "this cell of" : "these cells of"} ${names.join(", ")}.`;
  }

  // Compute the curves of the fields in view, then draw all to one scale.
  function* drawn(cells, outputs, changed) {
    const number = curves.now;
    if (!number) return;
    const some = fields.filter(({ index }) => visible.has(index));
    for (const field of some) {
      if (field !== changed || !field.curve) yield* computed(field, cells, number);
    }
    const all = some.flatMap(({ curve }) => curve.flatMap(({ y, low, high }) => [y, low, high])).filter(Number.isFinite);
    range = number.axis ? [-0.05, 1.05] : axisRange([...all, outputs[number.y]]);
    for (const field of some) {
      drawCurve(field, number, outputs[number.y]);
      yield;
    }
  }

  // Compute the curve of a field, unless only the field itself has changed since it was computed.
  function* computed(field, cells, number) {
    const others = JSON.stringify(cells.map((cell, i) => (i === field.index && field.kind !== "category" ? 0 : String(cell))));
    if (field.curveFor === others) return;
    const grid = field.grid(), at_ = grid.map(({ cell }) => cell), points = [];
    for (let start = 0; start < grid.length; start += atOnce) {
      const part = at_.slice(start, start + atOnce), { usable, outputs } = pipeline.predict(cells.map((cell, i) => (i === field.index ? part : part.map(() => cell))));
      part.forEach((cell, i) => {
        const [y, low, high] = [number.y, number.low, number.high].map((k) => (usable[i] && k !== null ? outputs[k][i] : NaN));
        points.push({ ...grid[start + i], y, low, high });
      });
      yield;
    }
    Object.assign(field, { curve: points, curveFor: others });
  }

  function drawCurve(field, number, y) {
    const { curve, cell, name } = field, about = { points: curve, range, column: inALine(name), label: inALine(number.label), tick: number.tick, axis: number.axis };
    if (curve.length < 2) return field.chart.replaceChildren();
    if (field.kind !== "category") return curveChart(field.chart, { ...about, ends: field.ends, here: { x: field.empty ? NaN : field.placeOf(cell), y }, onPick: (x) => field.set(field.textAt(x)) });
    return wordChart(field.chart, { ...about, points: curve.map((point) => ({ ...point, word: point.cell })), here: cell, onPick: (word) => field.set(word) });
  }

  // Tell the prediction to those who do not see it, when nothing has changed for a while.
  function speak() {
    clearTimeout(spoken);
    spoken = setTimeout(() => { at("spoken").textContent = answer.inWords(); }, 800);
  }

  const observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      const index = Number(target.dataset.index);
      if (isIntersecting) visible.add(index);
      else visible.delete(index);
    }
    if (entries.some(({ isIntersecting }) => isIntersecting)) update(null);
  }, { rootMargin: "200px" });
  fields.forEach(({ node, index }) => {
    node.dataset.index = index;
    at("fields").append(node);
    observer.observe(node);
  });

  addEventListener("beforeprint", () => { // paper shows all curves
    fields.forEach(({ index }) => visible.add(index));
    update(null);
    while (work && !work.next().done);
  });

  at("reset").addEventListener("click", () => {
    fields.forEach((field) => field.reset());
    update(null);
  });
  at("filter").addEventListener("input", () => {
    const wanted = at("filter").value.toLowerCase();
    for (const { node, name } of fields) node.hidden = !name.toLowerCase().includes(wanted);
  });
  at("filter").parentElement.hidden = fields.length < 13;
  const table = new Table(pipeline, at("table"), page.name, (texts) => {
    texts.forEach((text, i) => fields[i].set(fields[i].kind === "category" ? parseCell("category", text) : text.trim()));
    at("headline").scrollIntoView({ block: "nearest" });
  });
  at("table-text").placeholder = `${pipeline.columns.slice(0, 8).map(({ name }) => inALine(name, 30)).join("\t")}\n`;
  document.querySelector("main").hidden = false;
  Object.assign(globalThis, { nnfs: { pipeline, page, fields, table } });
  update(null);
})();
