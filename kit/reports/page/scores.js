// The table of scores, and the comparison with another set of answers: what got better, what got worse, and how
// the error types changed.

function drawScores() {
  const section = document.getElementById("scores");
  const part = filtered() && selection.all.length > 0;
  const metrics = REPORT.scores[0].metrics.map(([title]) => title);
  const columns = ["answers", "Edit Score", "95 % interval", ...metrics, "this report against it", ...(part ? ["mean in the selection"] : [])];
  const names = columns.map((name) => t(name));
  const against = 3 + metrics.length;
  const ends = REPORT.scores.flatMap((one) => [one.interval.low ?? one.edit, one.interval.high ?? one.edit]);
  const high = Math.max(...ends) * 1.04 || 1;
  const rows = REPORT.scores.map((one) => {
    return el("tr", { class: `role-${one.role}` },
      cell(names[0], el("span", { class: "who" }, data(phrase(one.label)), roleOf(one.role))),
      cell(names[1], el("strong", {}, edit(one.edit))),
      cell(names[2], el("span", { class: "range" }, span(one, high), el("span", { class: "ends" }, interval(one.interval)))),
      one.metrics.map(([, text], at) => cell(names[3 + at], text)),
      cell(names[against], one.against === null ? "" : verdictOf(one.against)),
      part ? cell(names[against + 1], edit(mean(selection.all, (number) => one.distance[number]))) : null);
  });
  fill(section,
    el("h2", { id: "scores-title" }, REPORT.fitted ? t("Scores on rows that something was fitted on") : t("Scores")),
    el("p", { class: "note" },
      t("Edit Score: mean edit distance in characters a question to the first gold answer; lower is better. Intervals draw whole groups of related articles. Exact match and F1 as KorQuAD's script counts them.")),
    el("table", { class: "scores" },
      el("thead", {}, el("tr", {}, names.map((name, at) => el("th", { scope: "col" }, name, UNITS[columns[at]] ? el("small", {}, t(UNITS[columns[at]])) : null, name === names[2] ? spanAxis(high) : null)))),
      el("tbody", {}, rows)));
}

const UNITS = { "Edit Score": "characters", "95 % interval": "characters", "this report against it": "characters, 95 %", "mean in the selection": "characters" };
const cell = (label, ...content) => el("td", { "data-label": label }, ...content);

function roleOf(role) {
  const words = { report: "this report", versus: "compared to", member: "member", course: "baseline", blank: "baseline" };
  return el("small", {}, t(words[role]));
}

// A point and its interval on an axis that all rows share and that begins at 0.
function span(row, high) {
  const at = (value) => spanAt(value, high);
  const { low, high: top } = row.interval;
  const root = svg("svg", { width: SPAN, height: 18, class: "span", "aria-hidden": "true" },
    svg("line", { class: "base", x1: at(0), x2: at(high), y1: 9, y2: 9 }));
  if (low !== null) root.append(svg("line", { class: "bar", x1: at(low), x2: Math.max(at(top), at(low) + 1), y1: 9, y2: 9 }));
  root.append(svg("circle", { cx: at(row.edit), cy: 9, r: 4 }));
  return root;
}

const SPAN = 190;
const spanAt = (value, high) => 6 + (value / high) * (SPAN - 12);

function spanAxis(high) {
  const root = svg("svg", { width: SPAN, height: 20, class: "span", "aria-hidden": "true" });
  for (const value of ticks(0, high, 4)) {
    const x = spanAt(value, high);
    root.append(svg("line", { class: "base", x1: x, x2: x, y1: 15, y2: 20 }),
      svg("text", { x, y: 12, "text-anchor": value === 0 ? "start" : x > SPAN - 12 ? "end" : "middle" }, short(value)));
  }
  return root;
}

function verdictOf(difference) {
  const sure = proven(difference);
  const word = !sure ? "chance explains it" : difference.mean < 0 ? "lower" : "higher";
  const kind = !sure ? "no-evidence" : difference.mean < 0 ? "better" : "worse";
  const sign = !sure ? "≈" : difference.mean < 0 ? "▼" : "▲";
  return el("span", { class: `against ${kind}` },
    el("span", { class: "nowrap" }, `${sign} ${signed(difference.mean)}`),
    el("small", {}, `${ends(difference.interval)}: ${t(word)}`));
}

const ends = ({ low, high, reason }) => (low === null ? t(reason) : t("{low} to {high}", { low: signed(low), high: signed(high) }));
const proven = ({ interval: { low, high } }) => low !== null && (high < 0 || low > 0);

function drawComparison() {
  const section = document.getElementById("comparison");
  section.hidden = !VERSUS;
  if (!VERSUS) return;
  const rows = selection.all;
  const sums = { better: [0, 0], same: [0, 0], worse: [0, 0] };
  for (const number of rows) {
    const by = change(number);
    const sum = sums[by < 0 ? "better" : by > 0 ? "worse" : "same"];
    sum[0]++;
    sum[1] += by;
  }
  const against = VERSUS.against;
  fill(section,
    el("h2", { id: "comparison-title" }, pieces("Against {csv}", { csv: data(VERSUS.label) })),
    el("p", { class: "lead", id: "difference" },
      t("Over all questions, in characters a question: {words}, p = {p}", { words: against.words, p: against.p_value.toFixed(3) })),
    el("div", { class: "moves" },
      move("better", t("got better"), "▼", sums.better), move("same", t("as near as before"), "=", sums.same), move("worse", t("got worse"), "▲", sums.worse)),
    transitions(rows));
}

function move(name, words, sign, [questions, characters]) {
  const value = FACET.change.labels.indexOf(t(name === "same" ? "as near" : name));
  return el("button", {
    class: `move ${name}`, id: `move-${name}`, disabled: value < 0,
    "aria-pressed": String(Boolean(state.filters.get("change")?.has(value))), onclick: () => toggle("change", value),
  },
    el("b", {}, `${sign} ${plural(questions, "question")}`), el("span", {}, words),
    el("small", {}, name === "same" ? t("no change in distance") : t("{n} characters", { n: signed(characters, 0) })));
}

// Error type before (rows) and now (columns): how many questions, and their change in characters.
function transitions(rows) {
  const before = FACET.before, now = FACET.error;
  const cells = before.labels.map(() => now.labels.map(() => ({ questions: 0, moved: 0 })));
  for (const number of rows) {
    const one = cells[before.values[number]][now.values[number]];
    one.questions++;
    one.moved += change(number);
  }
  const most = Math.max(...cells.flat().map((one) => Math.abs(one.moved)), 1);
  return el("div", { class: "wide" },
    el("table", { class: "matrix moves-matrix" },
      el("caption", {}, pieces("Questions by error type in {csv} (rows) and in this report (columns); below, the change in characters. Click a cell to see its questions.", { csv: data(VERSUS.label) })),
      el("thead", {}, el("tr", {}, el("th", {}, t("before ↓ now →")), now.labels.map((label) => el("th", { scope: "col", title: label }, glyph(label), data(label))))),
      el("tbody", {}, before.labels.map((label, i) => el("tr", {}, el("th", { scope: "row" }, glyph(label), data(label)),
        now.labels.map((_, j) => {
          const one = cells[i][j];
          if (!one.questions) return el("td", {}, "·");
          const node = el("td", { class: one.moved > 0 ? "worse" : one.moved < 0 ? "better" : "" },
            el("button", { onclick: () => only([["before", i], ["error", j]]) }, count(one.questions),
              el("small", {}, one.moved ? signed(one.moved, 0) : "±0")));
          node.style.setProperty("--heat", `${Math.round((70 * Math.abs(one.moved)) / most)}%`);
          return node;
        }))))));
}
