// The page: its head and its facts, the first drawing, the keyboard, the address.

function drawHead() {
  fill(document.getElementById("head"),
    el("p", { class: "kit" }, "kit report"),
    el("h1", {}, data(REPORT.name)),
    el("p", { class: "sub" }, `${plural(TOTAL, "question")} of `, data(REPORT.data)),
    REPORT.fitted ? el("p", { class: "verdict" }, "A fit, not an estimate: something was fitted on these rows." + (REPORT.nested === null ? ""
      : ` The estimate of kit tune, nested: ${REPORT.nested.toFixed(3)}.`)) : null,
    el("ul", { class: "cautions" }, REPORT.cautions.map((one) =>
      el("li", { class: one.fitted ? "caution fitted" : "caution" },
        el("span", { class: "sign", "aria-hidden": "true" }, one.fitted ? "⚠" : "ⓘ"), data(one.text)))));
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

function typing(target) {
  return target instanceof HTMLInputElement || target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement;
}

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.key === "Escape") {
    if (typing(event.target)) {
      if (event.target === list.search && state.search) { state.search = ""; changed(); }
      event.target.blur();
    } else if (state.open !== null) {
      state.open = null;
      writeAddress();
      drawRows();
      drawQuestion();
    }
    return;
  }
  if (typing(event.target)) return;
  const among = event.target === document.body ? state.open !== null : document.getElementById("browser").contains(event.target);
  const does = {
    j: () => go(1), k: () => go(-1), e: () => go(1, wrong), E: () => go(-1, wrong), "/": () => list.search.focus(),
    ...(among ? { ArrowDown: () => go(1), ArrowRight: () => go(1), ArrowUp: () => go(-1), ArrowLeft: () => go(-1) } : {}),
  }[event.key];
  if (!does) return;
  event.preventDefault();
  does();
}

async function follow() {
  readAddress();
  refresh();
  if (state.search && !unpacked) {
    await texts();
    refresh(); // now through the contexts too
  }
  if (state.open !== null) open(state.open);
  else drawQuestion();
}

drawHead();
drawFacts();
drawBrowser();
drawCharts();
listeners.push(drawScores, drawBar, drawComparison, drawFacets, drawList, redrawCharts, () => {
  if (state.open !== null) drawQuestion();
});
document.addEventListener("keydown", pressed);
window.addEventListener("hashchange", follow);
document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault();
  document.getElementById("browser-title").focus();
});
follow().then(() => {
  document.documentElement.dataset.ready = "yes";
  requestAnimationFrame(() => setTimeout(async () => {
    await texts();
    document.documentElement.dataset.unpacked = "yes";
  }));
});
