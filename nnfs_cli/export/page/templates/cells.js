// Operations on the cells of a table: texts, null where a cell is empty, and dates in microseconds since 1970.
"use strict";

const EMPTY_DATE = -(2n ** 63n); // as NumPy stores NaT
const DAY = 86_400_000_000n; // microseconds
const BLANK = "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]"; // as Python strips
const BLANKS = new RegExp(`^${BLANK}+|${BLANK}+$`, "g");

// Return a text in UTF-8; half of a surrogate pair alone takes three bytes.
function utf8(text) {
  const bytes = [];
  for (const character of text) {
    const code = character.codePointAt(0);
    if (code < 0x80) bytes.push(code);
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 63));
    else if (code < 0x10000) bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    else bytes.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
  }
  return bytes;
}

// The constants of BLAKE2b: the first 64 bits after the point of the square roots of the first eight primes, and the
// order in which each round takes the words of a block. Source: RFC 7693.
const START = [
  0x6a09e667f3bcc908n, 0xbb67ae8584caa73bn, 0x3c6ef372fe94f82bn, 0xa54ff53a5f1d36f1n,
  0x510e527fade682d1n, 0x9b05688c2b3e6c1fn, 0x1f83d9abfb41bd6bn, 0x5be0cd19137e2179n,
];
const ORDERS = [
  "0123456789abcdef", "ea489fd61c02b753", "b8c052fdae367194", "7931dcbe265a40f8", "905724afe1bc683d", // the ten orders
  "2c6a0b834d75fe19", "c51fed4a0763928b", "db7ec13950f4862a", "6fe9b308c2d714a5", "a2847615fb9e3cd0",
].map((order) => [...order].map((digit) => parseInt(digit, 16)));
const MIXED = [[0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15], [0, 5, 10, 15], [1, 6, 11, 12], [2, 7, 8, 13], [3, 4, 9, 14]];

const word = (number) => BigInt.asUintN(64, number);
const turned = (number, bits) => word((number >> bits) | (number << (64n - bits)));

// Return the first 64 bits of BLAKE2b with a digest of 8 bytes, as a little-endian number.
function blake2b(bytes) {
  const h = [...START];
  h[0] ^= 0x01010008n; // no key, 8 bytes
  for (let start = 0; start === 0 || start < bytes.length; start += 128) {
    const block = new DataView(new ArrayBuffer(128)), end = Math.min(start + 128, bytes.length);
    for (let i = start; i < end; i++) block.setUint8(i - start, bytes[i]);
    const v = [...h, ...START];
    v[12] ^= BigInt(end);
    if (end === bytes.length) v[14] = word(~v[14]);
    for (let round = 0; round < 12; round++) {
      const order = ORDERS[round % 10];
      MIXED.forEach(([a, b, c, d], k) => {
        const [x, y] = [order[2 * k], order[2 * k + 1]].map((i) => block.getBigUint64(8 * i, true));
        v[a] = word(v[a] + v[b] + x);
        v[d] = turned(v[d] ^ v[a], 32n);
        v[c] = word(v[c] + v[d]);
        v[b] = turned(v[b] ^ v[c], 24n);
        v[a] = word(v[a] + v[b] + y);
        v[d] = turned(v[d] ^ v[a], 16n);
        v[c] = word(v[c] + v[d]);
        v[b] = turned(v[b] ^ v[c], 63n);
      });
    }
    h.forEach((_, i) => { h[i] ^= v[i] ^ v[i + 8]; });
  }
  return h[0];
}

// Return the entries of a list in a cell, such as [a, 'b c'].
function entriesOf(cell, delimiter) {
  let text = cell.replace(BLANKS, "");
  if (text.length > 1 && ["[]", "{}", "()"].includes(text[0] + text.at(-1))) text = text.slice(1, -1);
  const entries = text.split(delimiter).map((entry) => {
    const bare = entry.replace(BLANKS, "");
    const quoted = bare.length > 1 && bare[0] === bare.at(-1) && "\"'".includes(bare[0]);
    return quoted ? bare.slice(1, -1).replace(BLANKS, "") : bare;
  });
  return new Set(entries.filter(Boolean));
}

// Return the days since 1970 of the first day of a month, counted from 0 on from the beginning of the year 0.
// Source: Hinnant, "chrono-Compatible Low-Level Date Algorithms" (2013): years that begin in March.
function firstDay(month) {
  const year = Math.floor((month - 2) / 12), inYear = month - 2 - 12 * year;
  return 365 * year + Math.floor(year / 4) - Math.floor(year / 100) + Math.floor(year / 400) + Math.floor((153 * inYear + 2) / 5) - 719468;
}

function datePart(date, part) {
  if (date === EMPTY_DATE) return 0;
  const day = Number((date - (((date % DAY) + DAY) % DAY)) / DAY), year = part.endsWith("year");
  let month = Math.floor(day / 30.436875) + 12 * 1970;
  while (firstDay(month) > day) month--;
  while (firstDay(month + 1) <= day) month++;
  if (year) month = 12 * Math.floor(month / 12);
  return part.startsWith("days_in") ? firstDay(month + (year ? 12 : 1)) - firstDay(month) : day - firstDay(month);
}
