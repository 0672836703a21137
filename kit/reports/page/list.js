// The list of questions: only visible rows exist, so thousands of questions are as fast as ten.

const ROW = 74;
const PART = 20; // rows that a phone shows at once
const PHONE = matchMedia("(max-width: 760px)"), TOUCH = matchMedia("(pointer: coarse)");
let list = null;
let toShow = false; // whether the question that is drawn next is to be brought into view

function drawBrowser() {
  const section = document.getElementById("browser");
  const search = el("input", {
    type: "search", id: "search", placeholder: t("question, answer, context or guid"), autocomplete: "off",
    "aria-label": t("Search"), spellcheck: "false",
    oninput: async (event) => { state.search = event.target.value; await texts(); changed(); },
  });
  const sort = el("select", {
    id: "sort", "aria-label": t("Sort"),
    onchange: (event) => { state.sort = event.target.value; changed(); list.scroller.scrollTop = 0; },
  }, Object.entries(SORTS).filter(([key]) => offered(key)).map(([key, [label]]) => el("option", { value: key }, label)));
  const inner = el("div", { class: "rows" });
  const scroller = el("div", { class: "scroller", id: "list", tabindex: "0", role: "listbox", "aria-label": t("Questions"), onscroll: drawRows }, inner);
  const more = el("button", { class: "more", onclick: () => { list.shown += PART; drawRows(); } });
  list = { search, sort, scroller, inner, more, shown: PART };
  fill(section,
    el("h2", { id: "browser-title", tabindex: "-1" }, t("Questions")),
    el("div", { class: "tools" },
      search, el("label", { class: "sorting" }, pieces("by {sort}", { sort })),
      el("span", { class: "keys" }, pieces("{j} {k} or arrows: next, previous · {e} next error · {slash} search · {escape} back",
        { j: key("j"), k: key("k"), e: key("e"), slash: key("/"), escape: key("Esc") }))),
    el("div", { class: "panes" }, scroller, el("article", { id: "question", "aria-live": "polite" })));
  scroller.append(more);
  new ResizeObserver(() => { if (!PHONE.matches) drawRows(); }).observe(scroller);
  PHONE.addEventListener("change", drawList);
}

const key = (name) => el("kbd", {}, name);

function drawList() {
  if (list.search.value !== state.search) list.search.value = state.search;
  list.sort.value = state.sort;
  list.inner.style.height = PHONE.matches ? "" : `${selection.rows.length * ROW}px`;
  list.shown = PART;
  drawRows();
}

function drawRows() {
  const { scroller, inner, more, shown } = list;
  scroller.parentElement.classList.toggle("opened", state.open !== null);
  const left = PHONE.matches ? selection.rows.length - shown : 0;
  more.hidden = left <= 0;
  if (!selection.rows.length) {
    fill(inner, el("p", { class: "none" }, t("No question passes these filters.")));
    return;
  }
  if (left > 0) fill(more, t("{n} more", { n: count(Math.min(left, PART)) }));
  const first = PHONE.matches ? 0 : Math.max(Math.floor(scroller.scrollTop / ROW) - 5, 0);
  const end = PHONE.matches ? shown : Math.ceil((scroller.scrollTop + scroller.clientHeight) / ROW) + 5;
  const last = Math.min(end, selection.rows.length);
  const rows = [];
  for (let at = first; at < last; at++) rows.push(row(selection.rows[at], at));
  fill(inner, rows);
}

function row(number, at) {
  const opened = number === state.open;
  const node = el("div", {
    class: `row${opened ? " opened" : ""}`, role: "option", "aria-selected": String(opened), "data-guid": Q.guid[number],
    "aria-posinset": String(at + 1), "aria-setsize": String(selection.rows.length), onclick: () => open(number),
  },
    el("span", { class: `far k${Q.error_type[number]}`, title: TYPES[Q.error_type[number]].name },
      el("b", {}, String(Q.distance[number])), el("small", {}, GLYPHS[Q.error_type[number]])),
    el("span", { class: "words" },
      el("span", { class: "asked" }, data(Q.text[number].slice(0, 200))),
      el("span", { class: "pair" }, answerText(Q.answer[number].slice(0, 90)),
        Q.error_type[number] === 0 ? null : [el("span", { class: "arrow" }, ` ${t("gold")} `), answerText(gold(number).slice(0, 90))])),
    VERSUS ? el("span", { class: `moved ${Math.sign(change(number)) > 0 ? "worse" : "better"}` }, change(number) ? moved(change(number)) : "") : null);
  node.style.top = `${at * ROW}px`;
  return node;
}

const moved = (change) => `${change > 0 ? "▲" : "▼"} ${Math.abs(change)}`;

function open(number, { scroll = true } = {}) {
  state.open = number;
  toShow = true;
  writeAddress();
  drawRows();
  drawQuestion();
  const at = selection.position.get(number);
  if (scroll && at !== undefined) {
    const { scroller } = list;
    const top = at * ROW;
    if (top < scroller.scrollTop) scroller.scrollTop = top;
    else if (top + ROW > scroller.scrollTop + scroller.clientHeight) scroller.scrollTop = top + ROW - scroller.clientHeight;
  }
}

function close() {
  state.open = null;
  writeAddress();
  drawRows();
  drawQuestion();
  if (PHONE.matches) document.getElementById("browser").scrollIntoView();
}

// Open the next question (step 1) or the previous one (-1) that *wanted* accepts, if there is one.
function go(step, wanted = () => true) {
  const from = selection.position.get(state.open);
  let at = from === undefined ? (step > 0 ? 0 : selection.rows.length - 1) : from + step;
  while (at >= 0 && at < selection.rows.length && !wanted(selection.rows[at])) at += step;
  if (at >= 0 && at < selection.rows.length) open(selection.rows[at]);
}

const wrong = (number) => Q.distance[number] > 0;
