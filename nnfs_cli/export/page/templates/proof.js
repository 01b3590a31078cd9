// What the proof of an export calls: predict cells that are given as JSON, a few rows at a time.
"use strict";

const AT_ONCE = 256;

function proved(model, given) {
  const pipeline = new Pipeline(JSON.parse(model)), found = { usable: [], outputs: pipeline.outputs.map(() => []) };
  const columns = given.map((column) => (column.base64 === undefined ? column : unpacked(column)));
  for (let start = 0; start < columns[0].length; start += AT_ONCE) {
    const { usable, outputs } = pipeline.predict(columns.map((column) => column.slice(start, start + AT_ONCE)));
    found.usable.push(...usable);
    outputs.forEach((numbers, i) => found.outputs[i].push(...Array.from(numbers, String)));
  }
  return found;
}
