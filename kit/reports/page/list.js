// The list of questions: only visible rows exist, so thousands of questions are as fast as ten.

const ROW = 74;
let list = null;

function drawBrowser() {
  const section = document.getElementById("browser");
  const search = el("input", {
    type: "search", id: "search", placeholder: "question, answer, context or guid", autocomplete: "off",
    "aria-label": "Search", spellcheck: "false",
    oninput: async (event) => { state.search = event.target.value; await texts(); changed(); },
  });
  const sort = el("select", {
    id: "sort", "aria-label": "Sort",
    onchange: (event) => { state.sort = event.target.value; changed(); list.scroller.scrollTop = 0; },
  }, Object.entries(SORTS).filter(([key]) => offered(key)).map(([key, [label]]) => el("option", { value: key }, label)));
  const inner = el("div", { class: "rows" });
  const scroller = el("div", { class: "scroller", id: "list", tabindex: "0", role: "listbox", "aria-label": "Questions", onscroll: drawRows }, inner);
  list = { search, sort, scroller, inner };
  fill(section,
    el("h2", { id: "browser-title", tabindex: "-1" }, "Questions"),
    el("div", { class: "tools" },
      search, el("label", { class: "sorting" }, "by ", sort),
      el("span", { class: "keys" },
        key("j"), key("k"), " or arrows: next, previous · ", key("e"), " next error · ", key("/"), " search · ", key("Esc"), " back")),
    el("div", { class: "panes" }, scroller, el("article", { id: "question", "aria-live": "polite" })));
  new ResizeObserver(drawRows).observe(scroller);
}

const key = (name) => el("kbd", {}, name);

function drawList() {
  if (list.search.value !== state.search) list.search.value = state.search;
  list.sort.value = state.sort;
  list.inner.style.height = `${selection.rows.length * ROW}px`;
  drawRows();
}

function drawRows() {
  const { scroller, inner } = list;
  if (!selection.rows.length) {
    fill(inner, el("p", { class: "none" }, "No question passes these filters."));
    return;
  }
  const first = Math.max(Math.floor(scroller.scrollTop / ROW) - 5, 0);
  const last = Math.min(Math.ceil((scroller.scrollTop + scroller.clientHeight) / ROW) + 5, selection.rows.length);
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
    el("span", { class: `far k${Q.error_type[number]}`, title: REPORT.error_types[Q.error_type[number]].name },
      el("b", {}, String(Q.distance[number])), el("small", {}, GLYPHS[Q.error_type[number]])),
    el("span", { class: "words" },
      el("span", { class: "asked" }, data(Q.text[number].slice(0, 200))),
      el("span", { class: "pair" }, answerText(Q.answer[number].slice(0, 90)),
        Q.error_type[number] === 0 ? null : [el("span", { class: "arrow" }, " gold "), answerText(gold(number).slice(0, 90))])),
    VERSUS ? el("span", { class: `moved ${Math.sign(change(number)) > 0 ? "worse" : "better"}` }, change(number) ? moved(change(number)) : "") : null);
  node.style.top = `${at * ROW}px`;
  return node;
}

const moved = (change) => `${change > 0 ? "▲" : "▼"} ${Math.abs(change)}`;

function open(number, { scroll = true } = {}) {
  state.open = number;
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

// Open the next question (step 1) or the previous one (-1) that *wanted* accepts, if there is one.
function go(step, wanted = () => true) {
  const from = selection.position.get(state.open);
  let at = from === undefined ? (step > 0 ? 0 : selection.rows.length - 1) : from + step;
  while (at >= 0 && at < selection.rows.length && !wanted(selection.rows[at])) at += step;
  if (at >= 0 && at < selection.rows.length) open(selection.rows[at]);
}

const wrong = (number) => Q.distance[number] > 0;
