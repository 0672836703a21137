// Two sets of answers: what got better, what got worse, and from which kind of error to which.

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
    el("h2", { id: "comparison-title" }, "Against ", data(VERSUS.label)),
    el("p", { class: "lead", id: "difference" },
      `Over all questions ${Math.abs(against.mean).toFixed(3)} characters a question ${against.mean > 0 ? "worse" : "better"} `
      + `(paired difference ${signed(against.mean)}, 95 %: ${ends(against.interval)}, p = ${against.p_value.toFixed(3)})`
      + `${proven(against) ? "." : ": no evidence of a difference."}`),
    el("div", { class: "moves" },
      move("better", "got better", "▼", sums.better), move("same", "as near as before", "=", sums.same), move("worse", "got worse", "▲", sums.worse)),
    transitions(rows));
}


function move(name, words, sign, [questions, characters]) {
  const value = FACET.change.labels.indexOf(name === "same" ? "as near" : name);
  return el("button", {
    class: `move ${name}`, id: `move-${name}`, disabled: value < 0,
    "aria-pressed": String(Boolean(state.filters.get("change")?.has(value))), onclick: () => toggle("change", value),
  },
    el("b", {}, `${sign} ${plural(questions, "question")}`), el("span", {}, words),
    el("small", {}, name === "same" ? "no change in distance" : `${signed(characters, 0)} characters`));
}

// Kind of error before (rows) and now (columns): how many questions, and how many characters they moved.
function transitions(rows) {
  const before = FACET.before, now = FACET.kind;
  const cells = before.labels.map(() => now.labels.map(() => ({ questions: 0, moved: 0 })));
  for (const number of rows) {
    const one = cells[before.values[number]][now.values[number]];
    one.questions++;
    one.moved += change(number);
  }
  const most = Math.max(...cells.flat().map((one) => Math.abs(one.moved)), 1);
  return el("div", { class: "wide" },
    el("table", { class: "matrix moves-matrix" },
      el("caption", {}, "Questions by kind of error in ", data(VERSUS.label), " (rows) and in this report (columns); below, the change in characters. Choose a cell to see its questions."),
      el("thead", {}, el("tr", {}, el("th", {}, "before ↓ now →"), now.labels.map((label) => el("th", { scope: "col" }, glyph(label), data(label))))),
      el("tbody", {}, before.labels.map((label, i) => el("tr", {}, el("th", { scope: "row" }, glyph(label), data(label)),
        now.labels.map((_, j) => {
          const one = cells[i][j];
          if (!one.questions) return el("td", {}, "·");
          const node = el("td", { class: one.moved > 0 ? "worse" : one.moved < 0 ? "better" : "" },
            el("button", { onclick: () => only([["before", i], ["kind", j]]) }, count(one.questions),
              el("small", {}, one.moved ? signed(one.moved, 0) : "±0")));
          node.style.setProperty("--heat", `${Math.round((70 * Math.abs(one.moved)) / most)}%`);
          return node;
        }))))));
}
