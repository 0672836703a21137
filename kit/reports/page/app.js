// The page: its head and its facts, the first drawing, the keyboard, the address.

function drawHead() {
  const other = LANGUAGE === "ko" ? "en" : "ko";
  fill(document.getElementById("head"),
    el("p", { class: "kit" }, "kit report",
      el("button", { id: "language", lang: other, onclick: () => turnTo(other) }, LANGUAGES[other])),
    el("h1", {}, data(REPORT.title)),
    el("p", { class: "sub" }, pieces("{questions} of {data}", { questions: plural(TOTAL, "question"), data: data(REPORT.data) }),
      " · ", el("time", { datetime: REPORT.date }, day(REPORT.date))),
    REPORT.fitted ? el("p", { class: "verdict" }, t("A fit, not an estimate: something was fitted on these rows.")) : null,
    el("ul", { class: "cautions" }, REPORT.cautions.map((one) =>
      el("li", { class: one.fitted ? "caution fitted" : "caution" },
        el("span", { class: "sign", "aria-hidden": "true" }, one.fitted ? "⚠" : "ⓘ"), data(phrase(one.text))))));
  fill(document.getElementById("skip"), t("To the questions"));
  document.getElementById("bar").setAttribute("aria-label", t("Filters in use"));
}

const day = (date) => new Intl.DateTimeFormat(LANGUAGE, { dateStyle: "long", timeZone: "UTC" }).format(new Date(date));

function turnTo(language) {
  const words = new URLSearchParams(location.hash.slice(1));
  words.set("lang", language);
  history.replaceState(null, "", `#${words}`);
  location.reload();
}

// What to do next: each step with its gain at most, its command to copy, and the questions that it is about.
function drawNext() {
  const section = document.getElementById("next");
  section.hidden = !REPORT.suggestions.length;
  if (section.hidden) return;
  fill(section,
    el("h2", { id: "next-title" }, t("What to do next")),
    el("p", { class: "note" }, t("Computed from these answers. A gain is the most that a step could bring under its condition, not a promise; gains overlap.")),
    el("ol", { class: "steps-next" }, REPORT.suggestions.map(suggestion)));
}

function suggestion(one) {
  // A word a span: a browser would break a line at the hyphens of an option.
  const command = el("code", {}, one.command.split(" ").flatMap((word, i) => [i ? " " : "", el("span", {}, word)]));
  const gain = t("at most {gain} characters ({share}), {condition}", {
    gain: signed(-one.gain), share: percent(one.gain / REPORT.scores[0].edit, 0), condition: one.condition,
  });
  const only = one.facet
    ? el("button", { class: "those", onclick: () => { state.filters.clear(); toggle(one.facet, one.value); document.getElementById("browser").scrollIntoView(); } }, t("show these questions"))
    : null;
  return el("li", {},
    el("p", { class: "finding" }, data(phrase(one.finding))),
    el("p", { class: "remedy" }, data(phrase(one.remedy)), " ", el("small", {}, gain), " ", only),
    el("div", { class: "command" }, command, el("button", { class: "copy", onclick: (event) => copy(command, event.target) }, t("copy"))));
}

async function copy(node, button) {
  try {
    await navigator.clipboard.writeText(node.textContent);
    fill(button, t("copied"));
  } catch { // no clipboard for this page: the command is selected instead
    getSelection().selectAllChildren(node);
  }
}

function drawFacts() {
  const unknown = REPORT.facets.filter((facet) => facet.reason);
  const reasons = unknown.map((facet) => `${phrase(facet.title)} (${phrase(facet.reason)})`).join("; ");
  fill(document.getElementById("facts"),
    el("h2", { id: "facts-title" }, t("How it was made")),
    el("dl", {}, REPORT.facts.flatMap(([name, value]) => [el("dt", {}, data(phrase(name))), el("dd", {}, data(phrase(value)))])),
    unknown.length ? el("p", { class: "note" }, t("Not shown: {list}.", { list: reasons })) : null);
  fill(document.getElementById("foot"), t("kit {version}. This file needs no network and sends nothing anywhere.", { version: REPORT.kit }));
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
      close();
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
drawNext();
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
