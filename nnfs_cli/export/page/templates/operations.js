// The operations of a pipeline: each takes its settings and the values of its inputs, and returns a value.
//
// A value is {data, dims}: row-major numbers with the axes [members, rows, ...features], where an axis of length 1
// stands for any length. Numbers and truths lie in a Float64Array, dates and what is computed from them as whole numbers
// in a BigInt64Array, and texts in an array.
"use strict";

const UNARY = {
  negative: (x) => -x,
  absolute: Math.abs,
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  sqrt: Math.sqrt,
  sin: Math.sin,
  cos: Math.cos,
  tanh: Math.tanh,
  is_nan: (x) => +(x !== x),
  is_finite: (x) => +Number.isFinite(x),
  logical_not: (x) => +!x,
  erf,
  normal_cdf: normalCdf,
  normal_quantile: normalQuantile,
};
const BINARY = {
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  divide: (a, b) => a / b,
  power: (a, b) => a ** b,
  minimum: (a, b) => (a < b || a !== a ? a : b),
  maximum: (a, b) => (a > b || a !== a ? a : b),
  sign_of: (a, b) => (b < 0 || Object.is(b, -0) ? -Math.abs(a) : Math.abs(a)),
  floor_divide: (a, b) => Math.floor(a / b),
  remainder: (a, b) => a - b * Math.floor(a / b),
  less: (a, b) => +(a < b),
  less_equal: (a, b) => +(a <= b),
  equal: (a, b) => +(a === b),
  logical_and: (a, b) => +(a && b),
  logical_or: (a, b) => +(a || b),
};
// The same for whole numbers of 64 bits: JavaScript is fast where each function sees one type only.
const WHOLE = {
  negative: (x) => -x,
  absolute: (x) => (x < 0n ? -x : x),
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  minimum: (a, b) => (a < b ? a : b),
  maximum: (a, b) => (a > b ? a : b),
  floor_divide: (a, b) => (a - ((a % b) + b) % b) / b,
  remainder: (a, b) => ((a % b) + b) % b,
  less: (a, b) => +(a < b),
  less_equal: (a, b) => +(a <= b),
  equal: (a, b) => +(a === b),
};

const sizeOf = (dims) => dims.reduce((size, n) => size * n, 1);
const isWhole = (value) => value.data instanceof BigInt64Array;

function as64(value) {
  return isWhole(value) ? value : { data: BigInt64Array.from(value.data, (x) => BigInt(Math.trunc(x))), dims: value.dims };
}

function asNumbers(value) {
  return isWhole(value) ? { data: Float64Array.from(value.data, Number), dims: value.dims } : value;
}

function broadcast(operands) {
  return operands[0].dims.map((_, axis) => operands.reduce((n, { dims }) => (dims[axis] === 1 ? n : dims[axis]), 1));
}

// Return the axes of a result with the steps of each operand along them; axes that can be walked as one are joined.
function walked(dims, operands) {
  const axes = [], sizes = operands.map(() => 1);
  for (let k = dims.length - 1; k >= 0; k--) {
    const steps = operands.map((operand, i) => (operand.dims[k] === 1 ? 0 : sizes[i]));
    operands.forEach((operand, i) => { sizes[i] *= operand.dims[k]; });
    const last = axes[0];
    if (dims[k] === 1) continue;
    if (last && steps.every((step, i) => step === last.n * last.steps[i])) last.n *= dims[k];
    else axes.unshift({ n: dims[k], steps });
  }
  return axes.length ? axes : [{ n: 1, steps: operands.map(() => 0) }];
}

// Call line(start, n, places, steps) for each line along the last axis of a result; `places` is where operands begin.
function alongLines(dims, operands, line) {
  const axes = walked(dims, operands), { n, steps } = axes.pop(), places = operands.map(() => 0);
  const at = axes.map(() => 0), size = sizeOf(dims);
  for (let start = 0; start < size; start += n) {
    line(start, n, places, steps);
    for (let k = axes.length - 1; k >= 0; k--) {
      const axis = axes[k], turn = ++at[k] === axis.n;
      for (let i = 0; i < places.length; i++) places[i] += turn ? axis.steps[i] * (1 - axis.n) : axis.steps[i];
      if (!turn) break;
      at[k] = 0;
    }
  }
}

function entrywise(operation, operands) {
  const { op, type } = operation, whole = type !== "float32" && type !== "float64" && operands.some(isWhole);
  const f = (whole ? WHOLE : operands.length === 1 ? UNARY : BINARY)[op], given = operands.map(whole ? as64 : asNumbers);
  const dims = broadcast(given), size = sizeOf(dims), [a, b] = given.map(({ data }) => data);
  const data = whole && type === "int64" ? new BigInt64Array(size) : new Float64Array(size);
  if (given.length === 1) for (let i = 0; i < size; i++) data[i] = f(a[i]);
  else {
    alongLines(dims, given, (start, n, places, steps) => {
      const p = places[0], q = places[1], s = steps[0], t = steps[1];
      for (let i = 0; i < n; i++) data[start + i] = f(a[p + i * s], b[q + i * t]);
    });
  }
  return { data, dims };
}

function where(operation, operands) {
  const whole = operands.slice(1).some(isWhole), [c, a, b] = [operands[0], ...operands.slice(1).map(whole ? as64 : asNumbers)];
  const dims = broadcast([c, a, b]), data = new a.data.constructor(sizeOf(dims));
  alongLines(dims, [c, a, b], (start, n, [o, p, q], [r, s, t]) => {
    for (let i = 0; i < n; i++) data[start + i] = c.data[o + i * r] ? a.data[p + i * s] : b.data[q + i * t];
  });
  return { data, dims };
}

function cast({ type }, [x]) {
  if (type === "int64") return isWhole(x) ? x : { data: x.data.map(Math.trunc), dims: x.dims };
  const { data, dims } = asNumbers(x);
  return { data: type === "bool" ? data.map((number) => +(number !== 0)) : new Float64Array(data), dims };
}

// Multiply each line of x by a matrix, four numbers that are not 0 at a time.
function matmul(operation, [x, weight]) {
  const [members, rows, ...middle] = x.dims, n = middle.pop(), nets = weight.dims[0], width = weight.dims.at(-1);
  const dims = [Math.max(members, nets), rows, ...middle, width], data = new Float64Array(sizeOf(dims));
  const lines = rows * sizeOf(middle), w = weight.data, from = x.data, kept = new Int32Array(n);
  for (let net = 0; net < dims[0]; net++) {
    const first = nets === 1 ? 0 : net * n * width, start = members === 1 ? 0 : net * lines * n;
    for (let line = 0; line < lines; line++) {
      const at = start + line * n, to = (net * lines + line) * width;
      let count = 0;
      for (let i = 0; i < n; i++) if (from[at + i] !== 0) kept[count++] = i;
      let k = 0;
      for (; k + 3 < count; k += 4) {
        const a = from[at + kept[k]], b = from[at + kept[k + 1]], c = from[at + kept[k + 2]], d = from[at + kept[k + 3]];
        const p = first + kept[k] * width, q = first + kept[k + 1] * width, r = first + kept[k + 2] * width, s = first + kept[k + 3] * width;
        for (let j = 0; j < width; j++) data[to + j] += a * w[p + j] + b * w[q + j] + c * w[r + j] + d * w[s + j];
      }
      for (; k < count; k++) {
        const a = from[at + kept[k]], p = first + kept[k] * width;
        for (let j = 0; j < width; j++) data[to + j] += a * w[p + j];
      }
    }
  }
  return { data, dims };
}

// In float32, each step is rounded as in NumPy: 1 minus a probability shows the last digits of it.
function sigmoid({ type }, [x]) {
  const round = type === "float32" ? Math.fround : (number) => number;
  const data = x.data.map((number) => {
    const e = round(Math.exp(-Math.abs(number)));
    return (number >= 0 ? 1 : e) / round(1 + e);
  });
  return { data, dims: x.dims };
}

function take({ indices }, [x]) {
  const width = x.dims.at(-1), dims = [...x.dims.slice(0, -1), indices.length], data = new x.data.constructor(sizeOf(dims));
  for (let to = 0, from = 0; to < data.length; to += indices.length, from += width) {
    for (let k = 0; k < indices.length; k++) data[to + k] = x.data[from + indices[k]];
  }
  return { data, dims };
}

function concatenate(operation, operands) {
  const parts = operands.some(isWhole) ? operands.map(as64) : operands;
  const lead = broadcast(parts.map(({ dims }) => ({ dims: dims.slice(0, -1) }))), widths = parts.map(({ dims }) => dims.at(-1));
  const width = widths.reduce((sum, n) => sum + n), dims = [...lead, width], data = new parts[0].data.constructor(sizeOf(dims));
  let begin = 0;
  parts.forEach((part, k) => {
    const n = widths[k], from = part.data;
    let to = begin;
    alongLines([...lead, n], [part], (start, length, [at], [step]) => {
      for (let i = 0; i < length; i += n, to += width) {
        if (step) for (let j = 0; j < n; j++) data[to + j] = from[at + i + j];
        else data.fill(from[at], to, to + n);
      }
    });
    begin += n;
  });
  return { data, dims };
}

function transpose({ axes }, [x]) {
  const order = [0, 1, ...axes.map((axis) => axis + 2)], dims = order.map((axis) => x.dims[axis]);
  const steps = x.dims.map((_, axis) => sizeOf(x.dims.slice(axis + 1))), data = new x.data.constructor(x.data.length);
  const at = dims.map(() => 0);
  for (let i = 0; i < data.length; i++) {
    data[i] = x.data[at.reduce((sum, place, k) => sum + place * steps[order[k]], 0)];
    for (let k = dims.length - 1; k >= 0 && ++at[k] === dims[k]; k--) at[k] = 0;
  }
  return { data, dims };
}

// Return an operation on the last axis: f(data, start, n) gives one number for a line.
const reduced = (f) => (operation, [x]) => {
  const n = x.dims.at(-1), dims = [...x.dims.slice(0, -1), 1], data = new Float64Array(sizeOf(dims));
  for (let i = 0; i < data.length; i++) data[i] = f(x.data, i * n, n);
  return { data, dims };
};

// Return an operation that changes lines of the last axis, each by f(line), in place.
const changed = (f) => (operation, [x]) => {
  const data = x.data.slice(), n = x.dims.at(-1);
  for (let start = 0; start < data.length; start += n) f(data.subarray(start, start + n));
  return { data, dims: x.dims };
};

function accumulated(f) {
  return changed((line) => { for (let i = 1; i < line.length; i++) line[i] = f(line[i - 1], line[i]); });
}

function extreme(better) {
  return reduced((data, start, n) => {
    let found = data[start];
    for (let i = start + 1; i < start + n; i++) if (better(data[i], found) || data[i] !== data[i]) found = data[i];
    return found;
  });
}

function sum(data, start, n) {
  let total = 0;
  for (let i = start; i < start + n; i++) total += data[i];
  return total;
}

function argmax(data, start, n) {
  let best = 0;
  for (let i = 1; i < n; i++) if (data[start + i] > data[start + best]) best = i;
  return best;
}

function softmax(line) {
  let most = line[0], total = 0;
  for (let i = 1; i < line.length; i++) most = Math.max(most, line[i]);
  for (let i = 0; i < line.length; i++) total += line[i] = Math.exp(line[i] - most);
  for (let i = 0; i < line.length; i++) line[i] /= total;
}

function sumMembers({ shares }, [x]) {
  const members = x.dims[0], size = x.data.length / members, data = new Float64Array(size);
  for (let k = 0; k < members; k++) {
    const share = shares ? shares[k] : 1;
    for (let i = 0; i < size; i++) data[i] += share * x.data[k * size + i];
  }
  if (!shares) for (let i = 0; i < size; i++) data[i] /= members;
  return { data, dims: [1, ...x.dims.slice(1)] };
}

function rowsOf(operation, [table, codes]) {
  const [tables, , n, width] = table.dims, [members, rows] = codes.dims, dims = [Math.max(tables, members), rows, width];
  const data = new Float64Array(sizeOf(dims));
  for (let k = 0; k < dims[0]; k++) {
    for (let row = 0; row < rows; row++) {
      const code = codes.data[(members === 1 ? 0 : k * rows) + row], from = ((tables === 1 ? 0 : k * n) + code) * width;
      for (let j = 0; j < width; j++) data[(k * rows + row) * width + j] = table.data[from + j];
    }
  }
  return { data, dims };
}

function countBelow({ or_equal: orEqual }, [x, knots]) {
  const n = knots.data.length, data = new Float64Array(x.data.length);
  for (let i = 0; i < data.length; i++) {
    const number = x.data[i];
    let low = 0, high = n;
    while (low < high) {
      const middle = (low + high) >> 1, knot = knots.data[middle];
      if (orEqual ? !(number < knot) : !(number <= knot)) low = middle + 1;
      else high = middle;
    }
    data[i] = low;
  }
  return { data, dims: x.dims };
}

function treeSums({ feature, threshold, left, value, roots, depth, shape }, [x]) {
  const [sets, rounds, trees] = shape, [, rows, n] = x.dims, width = value.length / left.length;
  const dims = [sets, rows, trees * width], data = new Float64Array(sizeOf(dims)), from = x.data;
  let tree = 0;
  for (let set = 0; set < sets; set++) {
    for (let round = 0; round < rounds; round++) {
      for (let j = 0; j < trees; j++, tree++) {
        const root = roots[tree], steps = depth[tree];
        for (let row = 0; row < rows; row++) {
          let node = root;
          for (let step = 0; step < steps; step++) node = left[node] + (from[row * n + feature[node]] > threshold[node] ? 1 : 0);
          const to = ((set * rows + row) * trees + j) * width;
          for (let k = 0; k < width; k++) data[to + k] += value[node * width + k];
        }
      }
    }
  }
  return { data, dims };
}

// Return an operation on texts (rows, 1): f gives the numbers of one text, and is called once for each different one.
const ofTexts = (width, f) => (operation, [x]) => {
  const n = width(operation), data = new Float64Array(x.data.length * n), known = new Map();
  x.data.forEach((text, row) => {
    if (!known.has(text)) known.set(text, f(text, operation));
    data.set(known.get(text), row * n);
  });
  return { data, dims: [1, x.data.length, n] };
};
const one = () => 1;

function lookUp(text, operation) {
  operation.places ??= new Map(operation.keys.map((key, i) => [key, i]));
  return [text === null ? operation.gap : operation.places.get(text) ?? operation.default];
}

function hashBucket(text, { buckets }) {
  return [Number(blake2b(text === null ? [255] : utf8(text)) % BigInt(buckets))];
}

function hasEntries(text, { delimiter, keys }) {
  const entries = entriesOf(text ?? "", delimiter), found = keys.map((key) => entries.delete(key));
  return [...found, entries.size > 0].map(Number);
}

function datePart_({ part }, [x]) {
  return { data: Float64Array.from(x.data, (date) => datePart(date, part)), dims: x.dims };
}

function labelOf({ labels }, [codes]) {
  return { data: Array.from(codes.data, (code) => labels[code] ?? labels[0]), dims: codes.dims };
}

function joinedLabels({ labels }, [inside]) {
  const n = labels.length, rows = inside.data.length / n;
  const data = Array.from({ length: rows }, (_, row) => labels.filter((_, k) => inside.data[row * n + k]).join("|"));
  return { data, dims: [1, rows, 1] };
}

const OTHERS = {
  where,
  cast,
  sigmoid,
  matmul,
  take,
  concatenate,
  reshape: ({ features }, [x]) => ({ data: x.data, dims: [...x.dims.slice(0, 2), ...features] }),
  transpose,
  sum_last: reduced(sum),
  max_last: extreme((a, b) => a > b),
  min_last: extreme((a, b) => a < b),
  all_last: reduced((data, start, n) => +(sum(data, start, n) === n)),
  any_last: reduced((data, start, n) => +(sum(data, start, n) > 0)),
  argmax_last: reduced(argmax),
  cumulative_sum: accumulated((a, b) => a + b),
  cumulative_max: accumulated((a, b) => BINARY.maximum(a, b)),
  sort_last: changed((line) => line.sort()),
  softmax: changed(softmax),
  sum_members: sumMembers,
  rows_of: rowsOf,
  count_below: countBelow,
  tree_sums: treeSums,
  is_gap: ofTexts(one, (text) => [+(text === null)]),
  look_up: ofTexts(one, lookUp),
  hash_bucket: ofTexts(one, hashBucket),
  has_entries: ofTexts(({ keys }) => keys.length + 1, hasEntries),
  date_part: datePart_,
  label_of: labelOf,
  joined_labels: joinedLabels,
};
