// Divide a prediction among the columns: Shapley values by walks from typical rows to the row, see `nnfs guide predictions`.
"use strict";

class Explainer {
  // `about` holds the columns with their inputs, the samples (orders of the columns, each with a typical row), what is
  // subtracted from each estimate, the base value, and which outputs are explained.
  constructor(pipeline, about) {
    Object.assign(this, about, { pipeline });
    [this.typical, this.shift, this.base] = [about.typical, about.shift, about.base].map(unpacked);
    this.features = this.typical.length / this.orders.length;
    this.coalitions = this.orders.flatMap((order, k) => this.walk(order, k));
    this.coalitions.unshift({ known: new Set(this.columns.keys()), other: 0, up: [], down: [] }); // the whole row
    this.orders.forEach((order) => this.coalitions[0].up.push(order[0], order.at(-1)));
  }

  // The mixtures on a walk there and back: the columns that come from the row, and whose values they count for.
  walk(order, other) {
    return order.slice(1).flatMap((next, t) => {
      const before = order.slice(0, t + 1), after = order.slice(t + 1);
      return [
        { known: new Set(before), other, up: [order[t]], down: [next] },
        { known: new Set(after), other, up: [next], down: [order[t]] },
      ];
    });
  }

  // Compute the effects (columns, n) for the inputs of the net of one row, a few mixtures at a time: a generator.
  *effects(inputs, atOnce) {
    const n = this.explained.length, values = new Float64Array(this.columns.length * n).map((_, i) => -this.shift[i]);
    let explained = null;
    for (let start = 0; start < this.coalitions.length; start += atOnce) {
      const some = this.coalitions.slice(start, start + atOnce), numbers = this.numbers(inputs, some);
      explained ??= numbers.slice(0, n);
      some.forEach(({ up, down }, i) => {
        for (let k = 0; k < n; k++) {
          const share = numbers[i * n + k] / (2 * this.orders.length);
          up.forEach((column) => { values[column * n + k] += share; });
          down.forEach((column) => { values[column * n + k] -= share; });
        }
      });
      yield;
    }
    return { values, explained, base: this.base };
  }

  // Return the explained numbers (mixtures, n) of mixtures of a row with typical rows.
  numbers(inputs, coalitions) {
    const X = new Float64Array(coalitions.length * this.features);
    coalitions.forEach(({ known, other }, row) => {
      for (let i = 0; i < this.features; i++) X[row * this.features + i] = this.typical[other * this.features + i];
      known.forEach((column) => this.inputs[column].forEach((i) => { X[row * this.features + i] = inputs[i]; }));
    });
    const { pipeline } = this, given = new Map([[pipeline.encoded, { data: X, dims: [1, coalitions.length, this.features] }]]);
    const outputs = pipeline.run(given, this.explained.map((i) => pipeline.outputs[i].place));
    const n = outputs.length, found = new Float64Array(coalitions.length * n);
    outputs.forEach(({ data }, k) => {
      for (let row = 0; row < coalitions.length; row++) found[row * n + k] = this.explainedNumber(data[data.length === 1 ? 0 : row]);
    });
    return found;
  }

  explainedNumber(output) {
    if (this.unit !== "log-odds") return output;
    const p = Math.min(Math.max(output, this.least), 1 - this.least);
    return Math.log(p) - Math.log1p(-p);
  }
}
