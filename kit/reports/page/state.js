// What is looked at: filters, search, sorting, the open question.  All of it stands in the address.

const SORTS = {
  "distance-down": ["edit distance, largest first", (a, b) => Q.distance[b] - Q.distance[a]],
  "distance-up": ["edit distance, smallest first", (a, b) => Q.distance[a] - Q.distance[b]],
  "file": ["order of the file", () => 0],
  "risk": ["expected distance, largest first", (a, b) => (Q.risk[b] ?? -1) - (Q.risk[a] ?? -1)],
  "surprise": ["further off than expected", (a, b) => surprise(b) - surprise(a)],
  "certainty": ["probability, smallest first", (a, b) => (Q.p[a] ?? 2) - (Q.p[b] ?? 2)],
  "others": ["disagreement of members", (a, b) => disagreement(b) - disagreement(a)],
  "gold": ["gold length, longest first", (a, b) => GOLD_LENGTH[b] - GOLD_LENGTH[a]],
  "worse": ["what got worse most", (a, b) => change(b) - change(a)],
  "better": ["what got better most", (a, b) => change(a) - change(b)],
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
  const words = new URLSearchParams();
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
