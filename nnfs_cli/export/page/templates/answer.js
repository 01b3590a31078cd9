// Show one prediction: numbers with their intervals, labels with their probabilities, and the main reasons.
"use strict";

const MOST_BARS = 12, MOST_REASONS = 8;

const share = (kind, number) => (kind === "probability" ? percent(number) : shown(number));

// A row of a list of bars: a name, a bar from `from` to `to` (shares of the width), and a number.
function bar(parent, { name, from, to, number, look = "" }) {
  const row = create("li", { class: look }, parent);
  create("span", { class: "name", title: name.length > 60 ? name : null }, row, name);
  const track = create("span", { class: "track" }, row), fill = create("i", {}, track);
  fill.style.left = `${100 * from}%`;
  fill.style.width = `${100 * (to - from)}%`;
  create("span", { class: "number" }, row, number);
  return track;
}

class Answer {
  constructor(page, headline, details, reasons) {
    Object.assign(this, { page, headline, details, reasons });
  }

  // Show the outputs of a row, an array in the order of the pipeline.
  show(outputs) {
    this.headline.replaceChildren();
    this.details.replaceChildren();
    for (const answer of this.page.answers) {
      const line = create("p", { class: "said" }, this.headline), value = outputs[answer.prediction];
      create("span", { class: "target" }, line, inALine(answer.target, 80));
      create("strong", {}, line, answer.labels ? inALine(value, 80) : shown(value));
      if (answer.lower !== null) this.addInterval(answer, outputs);
      if (answer.rate !== null) create("p", {}, this.details, `Rate: ${shown(outputs[answer.rate])} for an exposure of 1.`);
      if (answer.quantiles.length) this.addQuantiles(answer, outputs);
      if (answer.shares.length) this.addShares(answer, outputs, value);
      if (answer.set !== null) this.addSet(answer, outputs[answer.set]);
    }
  }

  level(answer) {
    const of = this.page.answers.length > 1 ? `${inALine(answer.target, 40)}: ` : "";
    return `${of}${percent(this.page.interval ?? 0)}`;
  }

  addInterval(answer, outputs) {
    const [low, value, high] = [answer.lower, answer.prediction, answer.upper].map((i) => outputs[i]);
    create("p", { class: "bounds" }, this.details, `${this.level(answer)} interval: ${shown(low)} to ${shown(high)}`);
    const track = create("div", { class: "interval", "aria-hidden": "true" }, this.details), dot = create("i", {}, track);
    dot.style.left = `${100 * Math.min(Math.max(high > low ? (value - low) / (high - low) : 0.5, 0), 1)}%`;
  }

  addQuantiles(answer, outputs) {
    const list = create("dl", { class: "facts" }, this.details);
    for (const [level, i] of answer.quantiles) {
      create("dt", {}, list, `quantile ${level}`);
      create("dd", {}, list, shown(outputs[i]));
    }
  }

  addShares(answer, outputs, predicted) {
    const many = this.page.answers.length > 1, name = (label) => inALine(many ? `${answer.target} = ${label}` : label, 60);
    const shares = answer.shares.map(([label, i]) => ({ label, number: outputs[i] }));
    const some = shares.length > MOST_BARS ? [...shares].sort((a, b) => b.number - a.number).slice(0, MOST_BARS) : shares;
    const most = answer.kind === "probability" ? 1 : Math.max(...some.map(({ number }) => Math.abs(number)), 1e-300);
    const list = create("ul", { class: "bars", "aria-label": answer.kind === "probability" ? "Probabilities" : "Scores" }, this.details);
    for (const { label, number } of some) {
      const look = !many && label === predicted ? "chosen" : "";
      bar(list, { name: name(label), from: 0, to: Math.min(Math.max(number / most, 0), 1), number: share(answer.kind, number), look });
    }
    if (some.length < shares.length) create("p", { class: "note" }, this.details, `and ${shares.length - some.length} less likely ones`);
  }

  addSet(answer, set) {
    create("p", { class: "bounds" }, this.details, `${this.level(answer)} set: ${inALine(set, 200).split("|").join(" or ") || "none"}`);
  }

  refuse(text) {
    this.headline.replaceChildren();
    this.details.replaceChildren();
    this.reasons.replaceChildren();
    create("p", { class: "refused" }, this.headline, text);
  }

  // The last prediction in words, for those who do not see it.
  inWords() {
    return [...this.headline.querySelectorAll(".said")].map((line) => [...line.children].map((part) => part.textContent).join(": ")).join(", ");
  }

  // Show the effects (columns, n) on each explained number, or on that of the predicted class.
  showReasons(explainer, { values, explained, base }, outputs, fields) {
    this.reasons.replaceChildren();
    const n = explainer.explained.length, { answers } = this.page;
    const oneOfMany = answers.length === 1 && answers[0].shares.length > 2;
    const chosen = oneOfMany ? [answers[0].labels.indexOf(outputs[answers[0].prediction])] : [...Array(n).keys()];
    for (const k of chosen) {
      const effects = explainer.columns.map((column, i) => ({ column: i, effect: values[i * n + k] }));
      this.addReasons(explainer, effects, base[k], explained[k], this.nameOf(k), fields);
    }
  }

  // What an explained number is about.
  nameOf(k) {
    const { answers } = this.page, [first] = answers, { shares } = first;
    if (answers.length > 1) return answers[k].labels ? `${answers[k].target} = ${answers[k].labels[1]}` : answers[k].target;
    if (!shares.length) return first.target;
    return shares[shares.length === 2 ? 1 : k][0];
  }

  addReasons(explainer, effects, base, total, name, fields) {
    const odds = explainer.unit === "log-odds", sorted = [...effects].sort((a, b) => Math.abs(b.effect) - Math.abs(a.effect));
    const kept = sorted.length > MOST_REASONS + 1 ? MOST_REASONS : sorted.length, some = sorted.slice(0, kept), rest = sorted.slice(kept).reduce((sum, { effect }) => sum + effect, 0);
    const most = Math.max(...some.map(({ effect }) => Math.abs(effect)), Math.abs(rest), 1e-300);
    const told = (number) => (odds ? percent(1 / (1 + Math.exp(-number))) : shown(number)), write = alike(most);
    const signed = (number) => `${number < 0 ? "" : "+"}${write(number)}`, what = explainer.unit === "units of the target" ? "" : odds ? "probability of " : "score of ";
    create("p", { class: "note" }, this.reasons, `From ${told(base)}, the ${what}${inALine(name, 60)} of typical rows, to ${told(total)}${odds ? ", by effects in log-odds" : ""}.`);
    const list = create("ul", { class: "bars effects" }, this.reasons);
    const add = (label, effect) => {
      const half = Math.abs(effect) / most / 2, look = effect < 0 ? "down" : "up";
      bar(list, { name: label, from: effect < 0 ? 0.5 - half : 0.5, to: effect < 0 ? 0.5 : 0.5 + half, number: signed(effect), look });
    };
    for (const { column, effect } of some) add(this.reason(explainer, column, fields), effect);
    if (sorted.length > some.length) add(`${sorted.length - some.length} other columns`, rest);
  }

  reason(explainer, column, fields) {
    return explainer.fields[column].map((i) => {
      const text = fields[i].text();
      return text === "" ? `${inALine(fields[i].name, 40)} is empty` : `${inALine(fields[i].name, 40)} = ${inALine(text, 30)}`;
    }).join(", ");
  }
}
