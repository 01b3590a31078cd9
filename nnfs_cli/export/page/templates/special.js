// Functions that JavaScript does not have: the normal distribution and the error function, to about 1e-15.
"use strict";

const ROOT_HALF = Math.SQRT1_2;
const EDGE = 1; // where the series hands over to the continued fraction

// erf(x) = 2 / sqrt(pi) exp(-x²) (x + 2 x³ / 3 + 4 x⁵ / 15 + ...): all terms have one sign, so nothing cancels.
function erfSeries(x) {
  let term = x, sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

// erfc(x) = exp(-x²) / sqrt(pi) / (x + 1/2 / (x + 1 / (x + 3/2 / (x + ...)))) for x of 1 or more.
function erfcFraction(x) {
  if (x > 27) return 0;
  let below = x;
  for (let k = Math.ceil(10 + 200 / (x * x)); k > 0; k--) below = x + k / 2 / below;
  const high = Math.fround(x), rest = (high - x) * (high + x); // x² = high² - rest, high² without an error
  return (Math.exp(-high * high) * Math.exp(rest)) / (Math.sqrt(Math.PI) * below);
}

function erf(x) {
  if (Number.isNaN(x)) return NaN;
  return Math.abs(x) < EDGE ? erfSeries(x) : Math.sign(x) * (1 - erfcFraction(Math.abs(x)));
}

function erfc(x) {
  if (Number.isNaN(x)) return NaN;
  if (x < EDGE) return 1 - erf(x);
  return erfcFraction(x);
}

function normalCdf(x) {
  return erfc(-x * ROOT_HALF) / 2;
}

// Return the number that a normal number is below with probability p: a first guess, then steps of Halley's method.
function normalQuantile(p) {
  if (!(p >= 0 && p <= 1)) return NaN;
  if (p === 0 || p === 1) return p ? Infinity : -Infinity;
  if (p > 0.5) return -normalQuantile(1 - p);
  let x = -Math.sqrt(-2 * Math.log(p)) + 1 / (1 - 0.5 * Math.log(p)); // near enough for all p from 1e-300 to 1/2
  for (let step = 0; step < 8; step++) {
    const wrong = normalCdf(x) - p, slope = Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI), by = wrong / slope;
    const next = x - by / (1 + (x * by) / 2);
    if (Math.abs(next - x) <= 1e-16 * Math.abs(x)) return next;
    x = next;
  }
  return x;
}
