// One question: its text, answer and gold, the context with both, the reasons, and each member's answer.

async function drawQuestion() {
  const asked = state.open;
  if (asked !== null && !unpacked) {
    await texts();
    if (asked !== state.open) return; // another question was opened meanwhile
  }
  const node = document.getElementById("question");
  node.classList.toggle("empty", state.open === null);
  if (state.open === null) {
    fill(node, el("p", { class: "none" }, t("Choose a question."), el("span", { class: "keys" }, " ", pieces("{key} opens the first error.", { key: key("e") }))));
    return;
  }
  const number = state.open, detail = details(number);
  const at = selection.position.get(number);
  const letters = Array.from(context(number));
  fill(node,
    el("header", {},
      el("span", { class: "steps" },
        el("button", { id: "back", onclick: close }, t("all questions")),
        el("button", { id: "previous", title: keyed(t("previous"), "k"), onclick: () => go(-1) }, "← ", t("previous")),
        el("span", { class: "at" }, at === undefined ? t("not in the list") : t("{n} of {all}", { n: count(at + 1), all: count(selection.rows.length) })),
        el("button", { id: "next", title: keyed(t("next"), "j"), onclick: () => go(1) }, t("next"), " →"),
        el("button", { id: "next-error", title: keyed(t("next error"), "e"), onclick: () => go(1, wrong) }, t("next error"), " →")),
      el("span", { class: "guid" }, data(Q.guid[number]))),
    el("h3", { id: "asked" }, data(Q.text[number])),
    answersTable(number, detail),
    detail.why.length ? el("div", { class: "why" }, el("h4", {}, t("Why")), detail.why.map((line) => el("p", {}, data(phrase(line))))) : null,
    el("h4", {}, t("Context"), " ", el("small", {}, data(Q.title[number]), `${Q.title[number] ? ", " : ""}${plural(letters.length, "character")}`)),
    el("ul", { class: "key" },
      el("li", {}, el("mark", { class: "gold" }, t("gold"))),
      el("li", {}, el("mark", { class: "said" }, t("answer"))),
      el("li", {}, el("mark", { class: "gold said" }, t("both"))),
      Q.answer[number] !== "" && Q.place[number] === null ? el("li", {}, t("the answer is not part of the context")) : null),
    el("div", { class: "context", id: "context", lang: "ko", dir: "auto" }, marked(number, letters)),
    drawHeatmaps(number, detail.heatmaps, letters),
    candidatesTable(number, detail));
  node.scrollTop = 0;
  if (toShow) show(node);
  const box = node.querySelector("#context");
  const first = box.querySelector("mark");
  if (first) box.scrollTop = Math.max(first.offsetTop - box.offsetTop - box.clientHeight / 3, 0);
}

const keyed = (words, name) => (TOUCH.matches ? words : `${words} (${name})`);

// Bring an opened question into view, below the bar of filters.
function show(node) {
  toShow = false;
  const shown = PHONE.matches ? node : node.parentElement;
  const { top, bottom } = shown.getBoundingClientRect();
  const bar = document.getElementById("bar").offsetHeight;
  if (PHONE.matches || top < bar || bottom > innerHeight) scrollTo({ top: scrollY + top - bar - 8 });
}

function answersTable(number, detail) {
  const lines = Q.golds[number].map(([text], at) => line(at ? t("also gold") : t("gold"), text, "", "", "gold"));
  if (!lines.length) lines.push(line(t("gold"), "", "", "", "gold"));
  const type = TYPES[Q.error_type[number]];
  lines.push(line(t("answer"), Q.answer[number], Q.distance[number], Q.p[number], "own",
    el("span", { class: `error k${Q.error_type[number]}`, title: type.meaning }, `${GLYPHS[Q.error_type[number]]} ${type.name}`)));
  if (Q.decoded[number] !== null) lines.push(line(t("before the rules"), Q.decoded[number], "", "", "plain"));
  if (VERSUS) lines.push(line(VERSUS.label, rivalAnswer(number), VERSUS.distance[number], "", "rival", change(number) ? moved(change(number)) : t("as near")));
  if (MEMBERS.length > 1) {
    MEMBERS.forEach((member, at) => lines.push(
      line(member.label, memberAnswer(member, number), member.distance[number], detail.p[at], "member",
        member.answer[number] === null ? "" : t("differs"))));
  }
  return el("table", { class: "answers" },
    el("thead", {}, el("tr", {}, ["", "text", "distance", "probability", ""].map((name, at) =>
      el("th", { scope: "col", class: at === 2 || at === 3 ? "number" : null }, t(name), at === 2 ? el("small", {}, t("characters")) : null)))),
    el("tbody", {}, lines));
}

function line(who, text, distance, p, role, note = "") {
  return el("tr", { class: role },
    el("th", { scope: "row" }, data(who)), el("td", { class: "text" }, answerText(text)),
    el("td", { class: "number", "data-unit": t("characters") }, String(distance)),
    el("td", { class: "number" }, p === "" || p === null || p === undefined ? "" : percent(p)), el("td", {}, note));
}

// The context in pieces that begin and end where a gold or the answer does.
function marked(number, letters) {
  const spans = Q.golds[number].map(([text, start]) => ["gold", start, start + codePoints(text)]);
  if (Q.place[number] !== null) spans.push(["said", Q.place[number], Q.place[number] + codePoints(Q.answer[number])]);
  const cuts = [...new Set([0, letters.length, ...spans.flatMap(([, begin, end]) => [begin, end])])].sort((a, b) => a - b);
  const pieces = [];
  for (let at = 0; at + 1 < cuts.length; at++) {
    const text = letters.slice(cuts[at], cuts[at + 1]).join("");
    const names = [...new Set(spans.filter(([, begin, end]) => begin <= cuts[at] && cuts[at + 1] <= end).map(([name]) => name))];
    pieces.push(names.length ? el("mark", { class: names.join(" ") }, ...shown(text)) : el("bdi", {}, ...shown(text)));
  }
  return pieces;
}

function candidatesTable(number, detail) {
  if (!detail.candidates.length) return null;
  const rows = detail.candidates.map(([rank, text, p, risk, distance]) => {
    const bar = el("span", { class: "fill" });
    bar.style.width = `${100 * p}%`;
    const chosen = text === (Q.decoded[number] ?? Q.answer[number]);
    return el("tr", { class: chosen ? "own" : text === gold(number) ? "gold" : "" },
      el("td", { class: "number" }, String(rank)),
      el("td", { class: "text" }, answerText(text), chosen ? el("small", { class: "flag" }, t("chosen")) : null, text === gold(number) ? el("small", { class: "flag" }, t("gold")) : null),
      el("td", { class: "p" }, el("span", { class: "track" }, bar), percent(p)),
      el("td", { class: "number" }, risk.toFixed(2)),
      el("td", { class: "number" }, String(distance)));
  });
  const heads = [["#", ""], ["candidate", ""], ["probability", ""], ["expected distance", "characters"], ["distance", "characters"]];
  return el("div", {},
    el("h4", {}, t("Candidates"), " ", el("small", {}, t("by expected distance, {n} of {all}", { n: rows.length, all: detail.weighed }))),
    el("div", { class: "wide" }, el("table", { class: "candidates" },
      el("thead", {}, el("tr", {}, heads.map(([name, unit]) => el("th", { scope: "col", class: unit ? "number" : null }, t(name), unit ? el("small", {}, t(unit)) : null)))),
      el("tbody", {}, rows))));
}
