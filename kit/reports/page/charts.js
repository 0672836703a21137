// Charts of the selection (calibration, blanking, lengths, agreement) and of fits (temperature, weights, learning).

const CHARTS = [
  ["calibration", t("Calibration: expected and actual distance"), drawCalibration, true],
  ["certainty", t("Calibration: probability and exact answers"), drawCertainty, true],
  ["blank-length", t("Blanking long answers"), drawBlankLength, true],
  ["blank-p", t("Blanking uncertain answers"), drawBlankCertainty, true],
  ["lengths", t("Lengths of gold and predicted answers"), drawLengths, true],
  ["agreement", t("Agreement of members"), drawAgreement, true],
  ["temperature", t("Temperature"), drawTemperatures, false],
  ["weight", t("Weights"), drawWeights, false],
  ["learning", t("Edit Score while training"), drawLearning, false],
  ["loss", t("Training loss"), drawLosses, false],
];
const holders = new Map();
const notShown = new Map(); // title → reason

function drawCharts() {
  const grid = el("div", { class: "charts" });
  for (const [id, title, draw, follows] of CHARTS) {
    const body = el("div", { class: "body" });
    const note = el("p", { class: "note" });
    const figure = el("figure", { class: "chart", id: `chart-${id}` }, el("figcaption", {}, title), body, note);
    grid.append(figure);
    const again = () => {
      const width = Math.max(body.clientWidth, 240);
      const result = follows && !selection.all.length ? t("no question passes the filters") : draw(width);
      figure.hidden = typeof result === "string";
      if (figure.hidden) notShown.set(title, result);
      else {
        notShown.delete(title);
        fill(body, result.nodes);
        fill(note, result.note + (follows && filtered() ? ` ${t("(the selection)")}` : ""));
      }
      drawNotShown();
    };
    holders.set(id, { again, follows });
    whenShown(body, again);
  }
  fill(document.getElementById("charts"),
    el("h2", { id: "charts-title" }, t("How sure, and how good")),
    grid, el("p", { class: "note", id: "not-shown" }));
}

// The charts that cannot be drawn, in one line.
function drawNotShown() {
  const line = document.getElementById("not-shown");
  if (!line) return;
  const reasons = [...notShown].map(([title, reason]) => `${title} (${reason})`);
  fill(line, reasons.length ? t("Not shown: {list}.", { list: reasons.join("; ") }) : "");
}

function redrawCharts() {
  for (const { again, follows } of holders.values()) if (follows) again();
}

// Rows in parts of equal size along a value: the mean of it, of another, and how many.
function parts(rows, by, value, wanted = 10) {
  const sorted = [...rows].sort((a, b) => by(a) - by(b));
  const found = [];
  for (let part = 0; part < wanted; part++) {
    const own = sorted.slice(Math.floor((part * sorted.length) / wanted), Math.floor(((part + 1) * sorted.length) / wanted));
    if (own.length) found.push([mean(own, by), mean(own, value), own.length]);
  }
  return found;
}

function drawCalibration(width) {
  const rows = selection.all.filter((number) => Q.risk[number] !== null);
  if (!rows.length) return t("answers without candidates have no expected distance");
  const points = parts(rows, (number) => Q.risk[number], (number) => Q.distance[number]);
  const high = Math.max(...points.flatMap(([x, y]) => [x, y]), 0.1) * 1.05;
  const area = frame(width, {
    title: t("Calibration: expected and actual distance"),
    x: { low: 0, high, label: t("expected distance, characters") }, y: { low: 0, high, label: t("actual distance, characters") },
  });
  diagonal(area, high);
  drawLines(area, [{ label: "", points: points.map(([x, y, n]) => [x, y, t("expected {x}, actual {y} characters, {questions}", { x: x.toFixed(2), y: y.toFixed(2), questions: plural(n, "question") })]) }]);
  return { nodes: [area.root], note: t("Tenths of the questions by expected distance; on the diagonal the expectation is right.") };
}

function drawCertainty(width) {
  const rows = selection.all.filter((number) => Q.p[number] !== null);
  if (!rows.length) return t("answers without candidates have no probability");
  const points = parts(rows, (number) => Q.p[number], (number) => Number(Q.distance[number] === 0));
  const axis = { low: 0, high: 1, ticks: [0, 0.25, 0.5, 0.75, 1], format: (value) => String(100 * value) };
  const area = frame(width, {
    title: "Calibration of probability",
    x: { ...axis, label: t("probability of the answer, %") }, y: { ...axis, label: t("answers equal to the gold, %") },
  });
  diagonal(area, 1);
  drawLines(area, [{ label: "", points: points.map(([x, y, n]) => [x, y, t("probability {x}, right {y}, {questions}", { x: percent(x), y: percent(y), questions: plural(n, "question") })]) }]);
  return { nodes: [area.root], note: t("Tenths of the questions by the probability of their answer; below the diagonal the blend is overconfident.") };
}

function diagonal(area, high) {
  area.root.append(svg("line", { class: "diagonal", x1: area.sx(0), y1: area.sy(0), x2: area.sx(high), y2: area.sy(high) }));
}

function drawBlankLength(width) {
  const rows = selection.all;
  const longest = Math.min(Math.max(...rows.map((number) => Q.raw[number][0]), 1) + 1, 61);
  const points = [];
  for (let least = 1; least <= longest; least++) {
    const value = mean(rows, (number) => (Q.raw[number][0] >= least ? GOLD_LENGTH[number] : Q.raw[number][1]));
    points.push([least, value]);
  }
  return blanking(width, points, { low: 1, high: Math.max(longest, 2), label: t("answers blanked from this length on, characters") },
    (x) => (x === longest ? t("best: no blank") : t("best: blank from {n} characters on", { n: x })),
    t("Of the answers before any blanking. The best value is fitted on what is shown: kit tune fits it on other rows."));
}

function drawBlankCertainty(width) {
  const rows = selection.all.filter((number) => Q.p[number] !== null);
  if (!rows.length) return t("answers without candidates have no probability");
  const points = [];
  for (let step = 0; step <= 50; step++) {
    const least = step / 50;
    points.push([least, mean(rows, (number) => (Q.p[number] < least ? GOLD_LENGTH[number] : Q.distance[number]))]);
  }
  return blanking(width, points, { low: 0, high: 1, ticks: [0, 0.25, 0.5, 0.75, 1], format: (value) => String(100 * value), label: t("blanked below this probability, %") },
    (x) => (x === 0 ? t("best: no blank") : t("best: blank below {p}", { p: percent(x, 0) })),
    t("The best value is fitted on what is shown, so it is too good."));
}

function blanking(width, points, x, words, note) {
  const values = points.map(([, y]) => y);
  const best = points.reduce((a, b) => (b[1] <= a[1] + 1e-12 && (b[1] < a[1] - 1e-12 || x.low === 1) ? b : a));
  const low = Math.min(...values), high = Math.max(...values), pad = (high - low || 1) * 0.12;
  const area = frame(width, { title: t("Edit Score by blanking threshold"), x, y: { low: Math.max(low - pad, 0), high: high + pad, label: t("Edit Score, characters") } });
  drawLines(area, [{ label: "", points }], { points: false });
  const text = `${words(best[0])}, ${edit(best[1])}`;
  mark(area, best[0], best[1], text);
  return { nodes: [area.root, legend([], ringKey(text))], note };
}

function drawLengths(width) {
  const most = 31;
  const tally = (length) => {
    const counts = new Array(most + 1).fill(0);
    for (const number of selection.all) counts[Math.min(length(number), most)]++;
    return counts;
  };
  const golds = tally((number) => GOLD_LENGTH[number]), said = tally((number) => LENGTH[number]);
  const high = Math.max(...golds, ...said) * 1.08;
  const area = frame(width, {
    title: t("Lengths of gold and predicted answers"),
    x: { low: -0.5, high: most + 0.5, ticks: [0, 5, 10, 15, 20, 25, 31], format: (value) => (value === most ? "31+" : String(value)), label: t("length of the answer, characters (0: blank)") },
    y: { low: 0, high, label: t("questions") },
  });
  const step = (counts, name) => counts.map((value, at) => {
    const node = svg("rect", { class: name, x: area.sx(at - 0.42), width: Math.max(area.sx(at + 0.42) - area.sx(at - 0.42), 1), y: area.sy(value), height: area.bottom - area.sy(value) });
    node.append(titled(t("{length} characters: {golds} golds, {answers} answers", { length: at === most ? "31+" : at, golds: count(golds[at]), answers: count(said[at]) })));
    return node;
  });
  area.root.append(...step(golds, "gold-bar"), ...step(said, "said-bar"));
  return {
    nodes: [area.root, el("ul", { class: "legend" },
      el("li", {}, el("span", { class: "swatch gold-bar" }), t("gold (filled)")), el("li", {}, el("span", { class: "swatch said-bar" }), t("predicted (outlined)")))],
    note: t("An outline above its bar: answers of this length are more frequent than golds."),
  };
}

function drawAgreement() {
  if (MEMBERS.length < 2) return MEMBERS.length ? t("there is only one member") : t("a CSV has no members");
  const voters = [...MEMBERS.map((member) => ({ label: member.label, of: (number) => memberAnswer(member, number) })),
    { label: t("this report"), of: (number) => Q.answer[number] }, { label: t("gold"), of: gold }];
  const same = (a, b) => mean(selection.all, (number) => Number(a.of(number) === b.of(number)));
  const table = el("table", { class: "matrix agreement" },
    el("thead", {}, el("tr", {}, el("th", {}, t("same text, %")), voters.map((one, at) => el("th", { scope: "col" }, el("span", { class: "at" }, at + 1), data(one.label))))),
    el("tbody", {}, voters.map((a, i) => el("tr", {}, el("th", { scope: "row" }, el("span", { class: "at" }, `${i + 1} `), data(a.label)),
      voters.map((b, j) => {
        if (i === j) return el("td", { class: "self" }, "–");
        const share = same(a, b);
        const node = el("td", {}, (100 * share).toFixed(0));
        node.style.setProperty("--heat", `${Math.round(100 * share)}%`);
        return node;
      })))));
  return { nodes: [el("div", { class: "wide" }, table)], note: t("Share of questions with the same answer. Good members that agree less add more to a blend.") };
}

function drawTemperatures(width) {
  return fits(width, REPORT.temperatures, {
    x: { log: true, ticks: [0.4, 0.6, 1, 1.5, 2, 3], label: t("temperature (log scale)") },
    y: { label: t("−log probability of the gold, nats") }, words: (x) => short(x),
    note: t("On a sample of these rows; ring: the temperature in use; the lowest point would be fitted on them."),
  });
}

function drawWeights(width) {
  return fits(width, REPORT.weights, {
    x: { ticks: [0, 0.25, 0.5, 0.75, 1], format: (value) => String(100 * value), label: t("weight of one member, %") },
    y: { label: t("Edit Score, characters") }, words: (x) => percent(x, 0),
    note: t("Before the rules, on a sample of these rows, the other members in proportion; ring: the weight in use. kit tune reports what a fit gains on other rows."),
  });
}

function drawLearning(width) {
  return fits(width, REPORT.learning, {
    x: { low: 0, label: t("optimizer step") }, y: { label: t("held-out Edit Score, characters") }, words: (x) => t("step {n}", { n: short(x) }),
    note: t("As evaluated while training; ring: the checkpoint that was kept. A model that was evaluated only at its end has one point."),
  });
}

function drawLosses(width) {
  return fits(width, REPORT.losses, {
    x: { low: 0, label: t("optimizer step") }, y: { label: t("mean training loss, nats") }, words: short,
    note: t("Mean of the steps since the point before. A loss that falls while the Edit Score does not is a sign of overfitting."),
  });
}

function fits(width, { curves, reason }, { x, y, words, note }) {
  if (reason) return phrase(reason);
  const xs = curves.flatMap((curve) => curve.x), ys = curves.flatMap((curve) => curve.y);
  const low = Math.min(...ys), high = Math.max(...ys), pad = (high - low || 1) * 0.12;
  const area = frame(width, {
    title: y.label, x: { low: Math.min(...xs), high: Math.max(...xs, Math.min(...xs) + 1e-9), ...x },
    y: { low: Math.max(low - pad, 0), high: high + pad, ...y },
  });
  drawLines(area, curves.map((curve) => ({ label: phrase(curve.label), points: curve.x.map((value, at) => [value, curve.y[at]]) })));
  for (const curve of curves) {
    if (curve.used === null || curve.used < Math.min(...curve.x) || curve.used > Math.max(...curve.x)) continue;
    mark(area, curve.used, along(curve, curve.used), `${phrase(curve.label)}: ${words(curve.used)}`);
  }
  const labels = curves.map((curve) => (curve.used === null ? phrase(curve.label) : `${phrase(curve.label)}: ${words(curve.used)}`));
  return { nodes: [area.root, legend(labels)], note };
}

// The curve's value between two of its points.
function along(curve, x) {
  const at = Math.max(curve.x.findIndex((value) => value >= x), 1);
  if (curve.x.length < 2) return curve.y[0];
  const [x0, x1] = [curve.x[at - 1], curve.x[at]];
  return curve.y[at - 1] + ((x - x0) / (x1 - x0)) * (curve.y[at] - curve.y[at - 1]);
}
