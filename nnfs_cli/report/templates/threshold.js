// Moves the threshold between two classes: shows what it does in numbers, and moves the marks on the curves.
(() => {
  const data = JSON.parse(document.getElementById("threshold-data").textContent);
  const input = document.getElementById("threshold");
  const reset = document.getElementById("threshold-reset");
  const show = (name, text) => { document.getElementById(`threshold-${name}`).textContent = text; };
  const count = (weight) => (Math.round(weight * 10) / 10).toLocaleString("en-US");
  const share = (part, whole) => (whole > 0 ? (part / whole).toFixed(4) : "-");

  // A chart says in data-x and data-y which numbers lie at which pixels; a mark where it was drawn.
  const move = (id, x, y) => {
    const mark = document.getElementById(id);
    if (!mark) return;
    const chart = mark.closest("svg");
    const pixel = (axis, value) => {
      const [low, high, start, end] = chart.dataset[axis].split(" ").map(Number);
      return start + ((value - low) / (high - low)) * (end - start);
    };
    const [right, down] = [pixel("x", x) - Number(mark.dataset.x), pixel("y", y) - Number(mark.dataset.y)];
    mark.setAttribute("transform", `translate(${right} ${down})`);
  };

  const update = () => {
    const place = Number(input.value);
    const [hits, falseAlarms] = [data.hits[place], data.falseAlarms[place]];
    const [missed, rejected, said] = [data.ofClass - hits, data.others - falseAlarms, hits + falseAlarms];
    const threshold = String(Number(data.thresholds[place].toPrecision(4)));
    show("value", threshold);
    input.setAttribute("aria-valuetext", threshold);
    [[rejected, falseAlarms], [missed, hits]].forEach((row, i) => {
      row.forEach((cell, j) => show(`${i}-${j}`, count(cell)));
    });
    show("accuracy", share(hits + rejected, data.ofClass + data.others));
    show("precision", share(hits, said));
    show("recall", share(hits, data.ofClass));
    show("f1", share(2 * hits, said + data.ofClass));
    move(data.marks.roc, falseAlarms / data.others, hits / data.ofClass);
    move(data.marks.precision, hits / data.ofClass, said > 0 ? hits / said : 1);
  };

  input.addEventListener("input", update);
  reset.addEventListener("click", () => { input.value = reset.dataset.start; update(); });
  input.closest(".slider").hidden = false;
  update();
})();
