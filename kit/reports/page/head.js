// The head: name, cautions, the table of scores, the bar of filters, the facts.

function drawHead() {
  fill(document.getElementById("head"),
    el("p", { class: "kit" }, "kit report"),
    el("h1", {}, data(REPORT.name)),
    el("p", { class: "sub" }, `${plural(TOTAL, "question")} of `, data(REPORT.data)),
    REPORT.fitted ? el("p", { class: "verdict" }, "A fit, not an estimate: something was fitted on these rows.") : null,
    el("ul", { class: "cautions" }, REPORT.cautions.map((one) =>
      el("li", { class: one.fitted ? "caution fitted" : "caution" },
        el("span", { class: "sign", "aria-hidden": "true" }, one.fitted ? "⚠" : "ⓘ"), data(one.text)))));
}

function drawScores() {
  const section = document.getElementById("scores");
  const part = filtered() && selection.all.length > 0;
  const names = ["answers", "Edit Score", "95 % interval", "exact match", "character F1", "blank", "this report against it"];
  if (part) names.push("mean in the selection");
  const ends = REPORT.standings.flatMap((one) => [one.interval.low ?? one.edit, one.interval.high ?? one.edit]);
  const high = Math.max(...ends) * 1.04 || 1;
  const rows = REPORT.standings.map((one) => {
    const against = one.against;
    return el("tr", { class: `role-${one.role}` },
      cell(names[0], el("span", { class: "who" }, data(one.label), roleOf(one.role))),
      cell(names[1], el("strong", {}, edit(one.edit))),
      cell(names[2], el("span", { class: "range" }, span(one, high), el("span", { class: "ends" }, interval(one.interval)))),
      cell(names[3], percent(one.exact)),
      cell(names[4], percent(one.f1)),
      cell(names[5], percent(one.blanks)),
      cell(names[6], against === null ? "" : verdictOf(against)),
      part ? cell(names[7], edit(mean(selection.all, (number) => one.distance[number]))) : null);
  });
  fill(section,
    el("h2", { id: "scores-title" }, REPORT.fitted ? "Scores on rows that something was fitted on" : "Scores"),
    el("p", { class: "note" },
      "Edit Score: mean edit distance in characters a question to the first gold answer; lower is better. ",
      "Intervals draw whole groups of related articles. Exact match and F1 as KorQuAD's script counts them."),
    el("table", { class: "scores" },
      el("thead", {}, el("tr", {}, names.map((name) => el("th", { scope: "col" }, name, unitOf(name), name === names[2] ? spanAxis(high) : null)))),
      el("tbody", {}, rows)));
}

const UNITS = {
  "Edit Score": "characters", "95 % interval": "characters", "mean in the selection": "characters",
  "this report against it": "characters, 95 %",
};
const unitOf = (name) => (UNITS[name] ? el("small", {}, UNITS[name]) : null);
const cell = (label, ...content) => el("td", { "data-label": label }, ...content);

function roleOf(role) {
  const words = { subject: "this report", versus: "compared to", member: "member", course: "baseline", blank: "baseline" };
  return el("small", {}, words[role]);
}

// A point and its interval on an axis that all rows share and that begins at 0.
function span(standing, high) {
  const at = (value) => spanAt(value, high);
  const { low, high: top } = standing.interval;
  const root = svg("svg", { width: SPAN, height: 18, class: "span", "aria-hidden": "true" },
    svg("line", { class: "base", x1: at(0), x2: at(high), y1: 9, y2: 9 }));
  if (low !== null) root.append(svg("line", { class: "bar", x1: at(low), x2: Math.max(at(top), at(low) + 1), y1: 9, y2: 9 }));
  root.append(svg("circle", { cx: at(standing.edit), cy: 9, r: 4 }));
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
  const word = !sure ? "no evidence" : difference.mean < 0 ? "better" : "worse";
  const sign = !sure ? "≈" : difference.mean < 0 ? "▼" : "▲";
  return el("span", { class: `against ${word.replace(" ", "-")}` },
    el("span", { class: "nowrap" }, `${sign} ${signed(difference.mean)}`),
    el("small", {}, `${ends(difference.interval)}: ${word}`));
}

const ends = ({ low, high, reason }) => (low === null ? reason : `${signed(low)} to ${signed(high)}`);
const proven = ({ interval: { low, high } }) => low !== null && (high < 0 || low > 0);

function drawBar() {
  const bar = document.getElementById("bar");
  const chips = [...state.filters].map(([key, values]) => {
    const facet = FACET[key];
    const names = [...values].sort((a, b) => a - b).map((value) => facet.labels[value]).join(", ");
    return chip(`${facet.title}: `, names, facet.unit, () => { state.filters.delete(key); changed(); });
  });
  if (state.search) chips.push(chip("text: ", state.search, "", () => { state.search = ""; changed(); }));
  const whole = Q.distance.reduce((sum, one) => sum + one, 0);
  const share = whole ? selection.distance / whole : 0;
  bar.classList.toggle("active", filtered());
  fill(bar,
    el("span", { class: "amount", "aria-live": "polite", id: "amount" },
      filtered()
        ? `${count(selection.all.length)} of ${plural(TOTAL, "question")}, ${percent(share)} of the distance`
        : `all ${plural(TOTAL, "question")}`),
    chips,
    filtered() ? el("button", { class: "clear", id: "clear", onclick: clearFilters }, "show all") : null,
    filtered() ? null : el("span", { class: "hint" }, "every bar is a filter"));
}

function chip(title, names, unit, remove) {
  return el("button", { class: "chip", onclick: remove, title: "take this filter away" },
    title, data(names), unit ? ` ${unit}` : "", el("span", { "aria-hidden": "true" }, " ×"));
}

function drawFacts() {
  const unknown = REPORT.facets.filter((facet) => facet.reason);
  fill(document.getElementById("facts"),
    el("h2", { id: "facts-title" }, "How it was made"),
    el("dl", {}, REPORT.facts.flatMap(([name, value]) => [el("dt", {}, data(name)), el("dd", {}, data(value))])),
    unknown.length
      ? el("p", { class: "note" }, "Not shown: ", unknown.map((facet) => `${facet.title} (${facet.reason})`).join("; "), ".")
      : null);
  fill(document.getElementById("foot"), `kit ${REPORT.kit}. This file needs no network and sends nothing anywhere.`);
}
