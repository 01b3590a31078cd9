// Read rows that were copied from a spreadsheet or a file, and write answers that no spreadsheet runs.
"use strict";

const NUMBER = /^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$/;
const DATE = /^([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,6})[0-9]*)?)?)?$/;
const FORMULA = /^[=+\-@\t\r]/;

// Return the lines of a text as lists of cells, and drop empty lines. Cells are separated by tabs if the first line has
// any, else by semicolons or commas, whichever are more there; quotes hold separators, line ends and doubled quotes.
function readRows(text) {
  const head = text.replace(/^\uFEFF/, ""), first = head.split(/\r?\n/, 1)[0].replace(/"(?:[^"]|"")*"/g, "");
  const count = (mark) => first.split(mark).length - 1;
  const mark = count("\t") ? "\t" : count(";") > count(",") ? ";" : ",";
  const rows = [];
  let row = [], cell = "", quoted = false, begun = false;
  const endCell = () => { row.push(cell); cell = ""; begun = false; };
  const endRow = () => { endCell(); if (row.length > 1 || row[0] !== "") rows.push(row); row = []; };
  for (let i = 0; i < head.length; i++) {
    const c = head[i];
    if (quoted) {
      if (c !== '"') cell += c;
      else if (head[i + 1] === '"') { cell += c; i++; }
      else quoted = false;
    } else if (c === '"' && !begun) { quoted = true; begun = true; }
    else if (c === mark) endCell();
    else if (c === "\n") endRow();
    else if (c !== "\r" || head[i + 1] !== "\n") { cell += c; begun = true; }
  }
  if (cell !== "" || row.length) endRow();
  return rows;
}

// Return a text as a cell of CSV: with an apostrophe before it if a spreadsheet would run it, in quotes where needed.
function csvCell(text) {
  const safe = FORMULA.test(text) && !NUMBER.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function csvText(rows) {
  return rows.map((row) => `${row.map(csvCell).join(",")}\n`).join("");
}

// Return the microseconds since 1970 of a date such as 2024-02-29 or 2024-02-29 12:30; null for any other text.
function parseDate(text) {
  const [, year, month, day, ...time] = DATE.exec(text.trim()) ?? [];
  if (year === undefined) return null;
  const [hour, minute, second] = time.slice(0, 3).map((part) => Number(part ?? 0)), length = firstDay(12 * year + Number(month)) - firstDay(12 * year + Number(month) - 1);
  if (month < 1 || month > 12 || day < 1 || day > length || hour > 23 || minute > 59 || second > 59) return null;
  const days = BigInt(firstDay(12 * year + Number(month) - 1) + Number(day) - 1);
  return days * DAY + BigInt(hour * 3600 + minute * 60 + second) * 1_000_000n + BigInt((time[3] ?? "").padEnd(6, "0"));
}

// Return the cell of a column from a text, or undefined if the text is none of its kind. Empty texts are gaps.
function parseCell(kind, text) {
  if (kind === "category") return text === "" ? null : text;
  const bare = text.trim();
  if (kind === "date") return bare === "" ? EMPTY_DATE : parseDate(bare) ?? undefined;
  if (bare === "") return NaN;
  if (/^(true|false)$/i.test(bare)) return +(bare.toLowerCase() === "true");
  return NUMBER.test(bare) && Number.isFinite(Number(bare)) ? Number(bare) : undefined;
}
