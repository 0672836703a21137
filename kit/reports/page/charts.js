// Charts of the selection (calibration, blanking, lengths, agreement) and of fits (temperature, weights, learning).

const CHARTS = [
  ["calibration", "Calibration: expected and actual distance", drawCalibration, true],
  ["certainty", "Calibration: probability and exact answers", drawCertainty, true],
  ["blank-length", "Blanking long answers", drawBlankLength, true],
  ["blank-p", "Blanking uncertain answers", drawBlankCertainty, true],
  ["lengths", "Lengths of gold and predicted answers", drawLengths, true],
  ["agreement", "Agreement of members", drawAgreement, true],
  ["temperature", "Temperature", drawTemperatures, false],
  ["weight", "Weights", drawWeights, false],
  ["learning", "Learning curves", drawLearning, false],
];
const holders = new Map();

function drawCharts() {
  const grid = el("div", { class: "charts" });
  for (const [id, title, draw, follows] of CHARTS) {
    const body = el("div", { class: "body" });
    const note = el("p", { class: "note" });
    grid.append(el("figure", { class: "chart", id: `chart-${id}` }, el("figcaption", {}, title), body, note));
    const again = () => {
      const width = Math.max(body.clientWidth, 240);
      const result = follows && !selection.all.length ? "no question passes the filters" : draw(width);
      if (typeof result === "string") {
        fill(body, el("p", { class: "none" }, `Not shown: ${result}.`));
        fill(note);
      } else {
        fill(body, result.nodes);
        fill(note, result.note + (follows && filtered() ? " (the selection)" : ""));
      }
    };
    holders.set(id, { again, follows });
    whenShown(body, again);
  }
  fill(document.getElementById("charts"),
    el("h2", { id: "charts-title" }, "How sure, and how good"),
    grid);
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
  if (!rows.length) return "answers without candidates have no expected distance";
  const points = parts(rows, (number) => Q.risk[number], (number) => Q.distance[number]);
  const high = Math.max(...points.flatMap(([x, y]) => [x, y]), 0.1) * 1.05;
  const area = frame(width, {
    title: "Calibration of expected distance",
    x: { low: 0, high, label: "expected distance, characters" }, y: { low: 0, high, label: "actual distance, characters" },
  });
  diagonal(area, high);
  drawLines(area, [{ label: "", points: points.map(([x, y, n]) => [x, y, `expected ${x.toFixed(2)}, actual ${y.toFixed(2)} characters, ${plural(n, "question")}`]) }]);
  return { nodes: [area.root], note: "Tenths of the questions by expected distance; on the diagonal the expectation is right." };
}

function drawCertainty(width) {
  const rows = selection.all.filter((number) => Q.p[number] !== null);
  if (!rows.length) return "answers without candidates have no probability";
  const points = parts(rows, (number) => Q.p[number], (number) => Number(Q.distance[number] === 0));
  const axis = { low: 0, high: 1, ticks: [0, 0.25, 0.5, 0.75, 1], format: (value) => String(100 * value) };
  const area = frame(width, {
    title: "Calibration of probability",
    x: { ...axis, label: "probability of the answer, %" }, y: { ...axis, label: "answers equal to the gold, %" },
  });
  diagonal(area, 1);
  drawLines(area, [{ label: "", points: points.map(([x, y, n]) => [x, y, `probability ${percent(x)}, right ${percent(y)}, ${plural(n, "question")}`]) }]);
  return { nodes: [area.root], note: "Tenths of the questions by the probability of their answer; below the diagonal the blend is overconfident." };
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
  return blanking(width, points, { low: 1, high: Math.max(longest, 2), label: "answers blanked from this length on, characters" },
    (x) => (x === longest ? "best: no blank" : `best: blank at ${x} characters`),
    "Of the answers before any blanking. The best value is fitted on what is shown: kit tune fits it on other rows.");
}

function drawBlankCertainty(width) {
  const rows = selection.all.filter((number) => Q.p[number] !== null);
  if (!rows.length) return "answers without candidates have no probability";
  const points = [];
  for (let step = 0; step <= 50; step++) {
    const least = step / 50;
    points.push([least, mean(rows, (number) => (Q.p[number] < least ? GOLD_LENGTH[number] : Q.distance[number]))]);
  }
  return blanking(width, points, { low: 0, high: 1, ticks: [0, 0.25, 0.5, 0.75, 1], format: (value) => String(100 * value), label: "blanked below this probability, %" },
    (x) => (x === 0 ? "best: no blank" : `best: blank below ${percent(x, 0)}`),
    "The best value is fitted on what is shown, so it is too good.");
}

function blanking(width, points, x, words, note) {
  const values = points.map(([, y]) => y);
  const best = points.reduce((a, b) => (b[1] <= a[1] + 1e-12 && (b[1] < a[1] - 1e-12 || x.low === 1) ? b : a));
  const low = Math.min(...values), high = Math.max(...values), pad = (high - low || 1) * 0.12;
  const area = frame(width, { title: "Edit Score by blanking threshold", x, y: { low: Math.max(low - pad, 0), high: high + pad, label: "Edit Score, characters" } });
  drawLines(area, [{ label: "", points }], { points: false });
  mark(area, best[0], best[1], `${words(best[0])}, ${edit(best[1])}`);
  return { nodes: [area.root], note };
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
    title: "Lengths of answers",
    x: { low: -0.5, high: most + 0.5, ticks: [0, 5, 10, 15, 20, 25, 31], format: (value) => (value === most ? "31+" : String(value)), label: "length of the answer, characters (0: blank)" },
    y: { low: 0, high, label: "questions" },
  });
  const step = (counts, name) => counts.map((value, at) => {
    const node = svg("rect", { class: name, x: area.sx(at - 0.42), width: Math.max(area.sx(at + 0.42) - area.sx(at - 0.42), 1), y: area.sy(value), height: area.bottom - area.sy(value) });
    node.append(titled(`${at === most ? "31 or more" : at} characters: ${count(golds[at])} golds, ${count(said[at])} answers`));
    return node;
  });
  area.root.append(...step(golds, "gold-bar"), ...step(said, "said-bar"));
  return {
    nodes: [area.root, el("ul", { class: "legend" },
      el("li", {}, el("span", { class: "swatch gold-bar" }), "gold (filled)"), el("li", {}, el("span", { class: "swatch said-bar" }), "predicted (outlined)"))],
    note: "An outline above its bar: answers of this length are more frequent than golds.",
  };
}

function drawAgreement() {
  if (MEMBERS.length < 2) return MEMBERS.length ? "there is only one member" : "a CSV has no members";
  const voters = [...MEMBERS.map((member) => ({ label: member.label, of: (number) => memberAnswer(member, number) })),
    { label: "this report", of: (number) => Q.answer[number] }, { label: "gold", of: gold }];
  const same = (a, b) => mean(selection.all, (number) => Number(a.of(number) === b.of(number)));
  const table = el("table", { class: "matrix" },
    el("thead", {}, el("tr", {}, el("th", {}, "same text, %"), voters.map((one) => el("th", { scope: "col" }, data(one.label))))),
    el("tbody", {}, voters.map((a, i) => el("tr", {}, el("th", { scope: "row" }, data(a.label)),
      voters.map((b, j) => {
        if (i === j) return el("td", { class: "self" }, "–");
        const share = same(a, b);
        const node = el("td", {}, (100 * share).toFixed(0));
        node.style.setProperty("--heat", `${Math.round(100 * share)}%`);
        return node;
      })))));
  return { nodes: [el("div", { class: "wide" }, table)], note: "Share of questions with the same answer. Good members that agree less add more to a blend." };
}

function drawTemperatures(width) {
  return fits(width, REPORT.temperatures, {
    x: { log: true, ticks: [0.4, 0.6, 1, 1.5, 2, 3], label: "temperature (log scale)" },
    y: { label: "−log probability of the gold, nats" }, words: (x) => short(x),
    note: "On a sample of these rows; ring: the temperature in use; the lowest point would be fitted on them.",
  });
}

function drawWeights(width) {
  return fits(width, REPORT.weights, {
    x: { ticks: [0, 0.25, 0.5, 0.75, 1], format: (value) => String(100 * value), label: "weight of one member, %" },
    y: { label: "Edit Score, characters" }, words: (x) => percent(x, 0),
    note: "Before the rules, on a sample of these rows, the other members in proportion; ring: the weight in use. kit tune reports what a fit gains on other rows.",
  });
}

function drawLearning(width) {
  return fits(width, REPORT.learning, {
    x: { label: "optimizer step" }, y: { label: "Edit Score on held-out rows, characters" }, words: (x) => `step ${short(x)}`,
    note: "As evaluated while training; ring: the checkpoint that was kept.",
  });
}

function fits(width, { curves, reason }, { x, y, words, note }) {
  if (reason) return reason;
  const xs = curves.flatMap((curve) => curve.x), ys = curves.flatMap((curve) => curve.y);
  const low = Math.min(...ys), high = Math.max(...ys), pad = (high - low || 1) * 0.12;
  const area = frame(width, {
    title: y.label, x: { low: Math.min(...xs), high: Math.max(...xs, Math.min(...xs) + 1e-9), ...x },
    y: { low: Math.max(low - pad, 0), high: high + pad, ...y },
  });
  drawLines(area, curves.map((curve) => ({ label: curve.label, points: curve.x.map((value, at) => [value, curve.y[at]]) })));
  for (const curve of curves) {
    if (curve.used === null || curve.used < Math.min(...curve.x) || curve.used > Math.max(...curve.x)) continue;
    mark(area, curve.used, along(curve, curve.used), words(curve.used));
  }
  return { nodes: [area.root, legend(curves.map((curve) => curve.label))], note };
}

// The curve's value between two of its points.
function along(curve, x) {
  const at = Math.max(curve.x.findIndex((value) => value >= x), 1);
  if (curve.x.length < 2) return curve.y[0];
  const [x0, x1] = [curve.x[at - 1], curve.x[at]];
  return curve.y[at - 1] + ((x - x0) / (x1 - x0)) * (curve.y[at] - curve.y[at - 1]);
}
