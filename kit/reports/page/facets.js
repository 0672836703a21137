// Facets: for each a small chart of bars, each bar a filter; and the bar that shows which filters are on.

let shownFacets = null;

function drawFacets() {
  const section = document.getElementById("where");
  if (shownFacets === null) {
    shownFacets = new Map();
    const grid = el("div", { class: "facets" });
    for (const facet of FACETS) {
      const card = el("div", { class: `facet facet-${facet.key}`, role: "group", "aria-label": facet.title });
      shownFacets.set(facet, card);
      grid.append(card);
    }
    fill(section,
      el("h2", { id: "where-title" }, t("Where the distance comes from")),
      el("p", { class: "note" },
        pieces("Bar: share of the total distance. Line {line}: share of the questions; a bar beyond its line costs more than its share. Click bars to filter the whole page.",
          { line: el("span", { class: "key-line", "aria-hidden": "true" }, "│") })),
      grid);
  }
  for (const [facet, card] of shownFacets) drawFacet(facet, card);
}

function drawFacet(facet, card) {
  const sums = byValue(facet);
  const distance = sums.reduce((sum, one) => sum + one.distance, 0) || 1;
  const questions = sums.reduce((sum, one) => sum + one.questions, 0) || 1;
  const top = niceShare(Math.max(...sums.map((one) => Math.max(one.distance / distance, one.questions / questions)), 0.05));
  const chosen = state.filters.get(facet.key);
  const focused = document.activeElement?.dataset?.facet === facet.key ? document.activeElement.dataset.value : null;
  fill(card,
    el("h3", {}, data(facet.title), facet.unit ? el("small", {}, ` ${facet.unit}`) : null),
    el("div", { class: "columns", "aria-hidden": "true" },
      el("span", {}, ""), el("span", {}, ""), el("span", {}, t("share")), el("span", {}, t("n")), el("span", {}, t("mean"))),
    sums.map((one, value) => {
      const share = one.distance / distance;
      const bar = el("span", { class: "fill" });
      bar.style.width = `${(100 * share) / top}%`;
      const line = el("span", { class: "line" });
      line.style.left = `${(100 * one.questions) / questions / top}%`;
      const average = one.questions ? one.distance / one.questions : 0;
      return el("button", {
        class: "value", "data-facet": facet.key, "data-value": String(value),
        "aria-pressed": String(Boolean(chosen?.has(value))),
        title: tooltip(facet, value, one, share, average),
        onclick: () => toggle(facet.key, value),
      },
        el("span", { class: "label" }, isType(facet) ? glyph(facet.labels[value]) : null, data(facet.labels[value])),
        el("span", { class: "track" }, bar, line),
        el("span", { class: "number share" }, percent(share)),
        el("span", { class: "number n" }, count(one.questions)),
        el("span", { class: "number mean" }, one.questions ? average.toFixed(2) : "–"));
    }),
    el("div", { class: "scale", "aria-hidden": "true" },
      el("span", {}, ["0 %", percent(top / 2, 0), percent(top, 0)].map((text, at) => el("b", { class: at === 1 ? "half" : null }, text)))));
  if (focused !== null) card.querySelector(`[data-value="${CSS.escape(focused)}"]`)?.focus();
}

const isType = (facet) => facet.key === "error" || facet.key === "before";

function glyph(type) {
  const at = TYPES.findIndex((one) => one.name === type);
  return el("span", { class: `glyph k${at}`, "aria-hidden": "true" }, GLYPHS[at]);
}

function tooltip(facet, value, one, share, average) {
  const type = isType(facet) ? TYPES.find((each) => each.name === facet.labels[value]) : null;
  return (type ? `${type.meaning}\n` : "") + t("{questions}, {distance} characters ({share} of the distance), {mean} characters a question", {
    questions: plural(one.questions, "question"), distance: count(one.distance), share: percent(share), mean: average.toFixed(2),
  });
}

const niceShare = (share) => [0.1, 0.2, 0.4, 0.5, 0.6, 0.8, 1].find((step) => step >= share - 1e-9) ?? 1;

function drawBar() {
  const bar = document.getElementById("bar");
  const chips = [...state.filters].map(([key, values]) => {
    const facet = FACET[key];
    const names = [...values].sort((a, b) => a - b).map((value) => facet.labels[value]).join(", ");
    return chip(`${facet.title}: `, names, facet.unit, () => { state.filters.delete(key); changed(); });
  });
  if (state.search) chips.push(chip(t("text: "), state.search, "", () => { state.search = ""; changed(); }));
  const whole = Q.distance.reduce((sum, one) => sum + one, 0);
  const share = whole ? selection.distance / whole : 0;
  bar.classList.toggle("active", filtered());
  fill(bar,
    el("span", { class: "amount", "aria-live": "polite", id: "amount" },
      filtered()
        ? t("{n} of {questions}, {share} of the distance", { n: count(selection.all.length), questions: plural(TOTAL, "question"), share: percent(share) })
        : t("all {questions}", { questions: plural(TOTAL, "question") })),
    chips,
    filtered() ? el("button", { class: "clear", id: "clear", onclick: clearFilters }, t("show all")) : null,
    filtered() ? null : el("span", { class: "hint" }, t("every bar is a filter")));
}

function chip(title, names, unit, remove) {
  return el("button", { class: "chip", onclick: remove, title: t("remove this filter") },
    title, data(names), unit ? ` ${unit}` : "", el("span", { "aria-hidden": "true" }, " ×"));
}
