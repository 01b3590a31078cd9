// Compute the values of a pipeline: a list of operations, each after its inputs. Results of the type float32 are rounded.
"use strict";

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const ARRAYS = { f8: Float64Array, f4: Float32Array, i4: Int32Array, u1: Uint8Array, i8: BigInt64Array };

// Return the numbers of an array that was packed as {type, base64}.
function unpacked({ type, base64 }) {
  const places = new Uint8Array(128);
  [...DIGITS].forEach((digit, i) => { places[digit.charCodeAt(0)] = i; });
  const n = Math.floor((base64.replace(/=+$/, "").length * 3) / 4), bytes = new Uint8Array(n + 3);
  const digit = (i) => places[base64.charCodeAt(i) & 127];
  for (let i = 0, at = 0; at < n; i += 4, at += 3) {
    const four = (digit(i) << 18) | (digit(i + 1) << 12) | (digit(i + 2) << 6) | digit(i + 3);
    bytes[at] = four >> 16;
    bytes[at + 1] = (four >> 8) & 255;
    bytes[at + 2] = four & 255;
  }
  return new ARRAYS[type](bytes.buffer.slice(0, n));
}

class Pipeline {
  // `model` is what the page holds as JSON: the operations in their order, and the places of some of them.
  constructor(model) {
    Object.assign(this, model);
    this.constants = new Map();
    this.operations.forEach((operation, place) => this.unpack(operation, place));
  }

  unpack(operation, place) {
    for (const [name, setting] of Object.entries(operation)) if (setting?.base64 !== undefined) operation[name] = unpacked(setting);
    if (operation.op !== "constant") return;
    const { array, features, members } = operation, data = array instanceof BigInt64Array ? array : Float64Array.from(array);
    this.constants.set(place, { data, dims: [members || 1, 1, ...features] });
  }

  // Return some values by their places, computed from those that are given, a Map from places to values.
  run(given, wanted) {
    const found = new Map(given), needed = new Set(), stack = [...wanted];
    while (stack.length) {
      const place = stack.pop();
      if (needed.has(place) || found.has(place)) continue;
      needed.add(place);
      stack.push(...this.operations[place].inputs);
    }
    for (const place of [...needed].sort((a, b) => a - b)) found.set(place, this.compute(place, found));
    return wanted.map((place) => found.get(place));
  }

  compute(place, found) {
    const operation = this.operations[place], { op, type } = operation;
    if (op === "constant") return this.constants.get(place);
    const value = (OTHERS[op] ?? entrywise)(operation, operation.inputs.map((input) => found.get(input)));
    if (type === "float32") for (let i = 0; i < value.data.length; i++) value.data[i] = Math.fround(value.data[i]);
    return value;
  }

  // Return the places of columns with their cells: an array for each column, in their order.
  cells(columns) {
    return new Map(this.columns.map(({ place, kind }, i) => {
      const data = kind === "number" ? Float64Array.from(columns[i]) : kind === "date" ? BigInt64Array.from(columns[i]) : columns[i];
      return [place, { data, dims: [1, data.length, 1] }];
    }));
  }

  // Return what the model predicts for cells: each output in its order, and which rows it accepts.
  predict(columns) {
    const rows = columns[0].length, found = this.run(this.cells(columns), [this.usable, ...this.outputs.map(({ place }) => place)]);
    const [usable, ...outputs] = found.map(({ data }) => (data.length === rows ? data : Array(rows).fill(data[0])));
    return { usable, outputs };
  }
}
