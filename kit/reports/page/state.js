// The view: filters, search, sorting, the open question.  All of it is in the address.

const SORTS = {
  "distance-down": [t("edit distance, largest first"), (a, b) => Q.distance[b] - Q.distance[a]],
  "distance-up": [t("edit distance, smallest first"), (a, b) => Q.distance[a] - Q.distance[b]],
  "file": [t("order of the file"), () => 0],
  "risk": [t("expected distance, largest first"), (a, b) => (Q.risk[b] ?? -1) - (Q.risk[a] ?? -1)],
  "surprise": [t("further off than expected"), (a, b) => surprise(b) - surprise(a)],
  "certainty": [t("probability, smallest first"), (a, b) => (Q.p[a] ?? 2) - (Q.p[b] ?? 2)],
  "others": [t("disagreement of members"), (a, b) => disagreement(b) - disagreement(a)],
  "gold": [t("gold length, longest first"), (a, b) => GOLD_LENGTH[b] - GOLD_LENGTH[a]],
  "worse": [t("what got worse most"), (a, b) => change(b) - change(a)],
  "better": [t("what got better most"), (a, b) => change(a) - change(b)],
};
const surprise = (number) => (Q.risk[number] === null ? -Infinity : Q.distance[number] - Q.risk[number]);
const change = (number) => Q.distance[number] - VERSUS.distance[number];

function disagreement(number) {
  return MEMBERS.reduce((sum, member) => sum + (member.answer[number] === null ? 0 : member.weight), 0);
}

function offered(sort) {
  if (sort === "worse" || sort === "better") return Boolean(VERSUS);
  if (sort === "others") return MEMBERS.length > 1;
  return !["risk", "surprise", "certainty"].includes(sort) || Q.p.some((p) => p !== null);
}

const DEFAULT_SORT = VERSUS ? "worse" : "distance-down";
const state = { filters: new Map(), search: "", sort: DEFAULT_SORT, open: null };
const listeners = [];

function changed() {
  writeAddress();
  refresh();
}

function refresh() {
  select();
  for (const listener of listeners) listener();
}

function toggle(key, value) {
  const chosen = new Set(state.filters.get(key) ?? []);
  if (!chosen.delete(value)) chosen.add(value);
  if (chosen.size) state.filters.set(key, chosen);
  else state.filters.delete(key);
  changed();
}

function only(filters) {
  for (const [key, value] of filters) state.filters.set(key, new Set([value]));
  changed();
}

function clearFilters() {
  state.filters.clear();
  state.search = "";
  changed();
}

function writeAddress() {
  if (location.protocol === "about:") return; // a frame in a notebook has no address of its own
  const words = new URLSearchParams();
  if (ASKED_FOR) words.set("lang", ASKED_FOR);
  for (const [key, values] of state.filters) words.set(key, [...values].sort((a, b) => a - b).join("."));
  if (state.search) words.set("search", state.search);
  if (state.sort !== DEFAULT_SORT) words.set("sort", state.sort);
  if (state.open !== null) words.set("open", Q.guid[state.open]);
  const hash = words.toString();
  if (hash === location.hash.slice(1)) return;
  history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
}

function readAddress() {
  const words = new URLSearchParams(location.hash.slice(1));
  state.filters.clear();
  for (const facet of FACETS) {
    const values = (words.get(facet.key) ?? "").split(".").filter(Boolean).map(Number)
      .filter((value) => Number.isInteger(value) && value >= 0 && value < facet.labels.length);
    if (values.length) state.filters.set(facet.key, new Set(values));
  }
  state.search = words.get("search") ?? "";
  const sort = words.get("sort");
  state.sort = Object.hasOwn(SORTS, sort ?? "") && offered(sort) ? sort : DEFAULT_SORT;
  state.open = NUMBER.get(words.get("open")) ?? null;
}

// The selection: which questions pass the filters; for each facet also those that only its own filter excludes.
// all: the numbers of those that pass, in the order of the file; rows: the same, sorted
const selection = { all: [], rows: [], failed: new Uint8Array(TOTAL), failing: new Array(TOTAL), distance: 0 };

function select() {
  const { failed, failing } = selection;
  failed.fill(0);
  for (const [key, chosen] of state.filters) {
    const values = FACET[key].values;
    for (let number = 0; number < TOTAL; number++) {
      if (!chosen.has(values[number])) {
        failed[number]++;
        failing[number] = key;
      }
    }
  }
  const sought = state.search.toLowerCase();
  const rows = [];
  for (let number = 0; number < TOTAL; number++) {
    if (failed[number] > 1) continue;
    if (sought && !haystack(number).includes(sought) && !(unpacked && loweredContext(number).includes(sought))) {
      failed[number] += 2;
      continue;
    }
    if (!failed[number]) rows.push(number);
  }
  selection.all = rows;
  selection.distance = rows.reduce((sum, number) => sum + Q.distance[number], 0);
  selection.rows = [...rows].sort((a, b) => SORTS[state.sort][1](a, b) || a - b);
  selection.position = new Map(selection.rows.map((number, at) => [number, at]));
}

const filtered = () => state.filters.size > 0 || state.search !== "";

// Questions and distance by value of a facet, under all filters but its own.  A facet about the answers compared
// with divides their distance.
function byValue(facet) {
  const distances = facet.rival ? VERSUS.distance : Q.distance;
  const sums = facet.labels.map(() => ({ questions: 0, distance: 0 }));
  for (let number = 0; number < TOTAL; number++) {
    const { failed, failing } = selection;
    if (failed[number] === 0 || (failed[number] === 1 && failing[number] === facet.key)) {
      const sum = sums[facet.values[number]];
      sum.questions++;
      sum.distance += distances[number];
    }
  }
  return sums;
}

const mean = (rows, value) => rows.reduce((sum, number) => sum + value(number), 0) / rows.length;
