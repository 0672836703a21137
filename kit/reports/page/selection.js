// Which questions pass the filters; for each facet also those that only its own filter keeps out.

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

// Questions and distance by value of a facet, under all filters but its own.
function byValue(facet) {
  const sums = facet.labels.map(() => ({ questions: 0, distance: 0 }));
  for (let number = 0; number < TOTAL; number++) {
    const { failed, failing } = selection;
    if (failed[number] === 0 || (failed[number] === 1 && failing[number] === facet.key)) {
      const sum = sums[facet.values[number]];
      sum.questions++;
      sum.distance += Q.distance[number];
    }
  }
  return sums;
}

const mean = (rows, value) => rows.reduce((sum, number) => sum + value(number), 0) / rows.length;
