// Heatmaps: where each member and the blend see the answer begin (bars up) and end (bars down).

const LETTER = 14; // pixels a character needs to be read
const HALF = 20; // pixels of a probability of 1

// The heatmaps of a question over its whole context, or zoomed in until every character can be read.
function drawHeatmaps(number, packed, letters) {
  const sides = unpackHeatmaps(packed);
  const labels = MEMBERS.filter((member) => member.heatmap).map((member) => [member.label, t("{share} of the weight", { share: percent(member.weight, 0) })]);
  if (REPORT.blend && labels.length > 1) labels.push([t("blend"), t("all together")]);
  if (!labels.length) return null;
  const holder = el("div", { class: "heatmaps" });
  const button = el("button", { class: "zoom", id: "zoom", onclick: () => { near = !near; draw(); } });
  let near = null;
  const draw = () => {
    const narrow = holder.clientWidth < 560;
    const width = Math.max(holder.clientWidth - (narrow ? 0 : 170), 200);
    const close = nearRange(number, sides, letters.length, Math.floor(width / LETTER));
    near ??= close.holds;
    const range = near ? close : { from: 0, to: letters.length };
    fill(button, near ? t("show the whole context") : t("zoom in to the characters"));
    fill(holder, labels.map(([name, about], at) =>
      el("div", { class: "heatmap" },
        el("div", { class: "who" }, data(name), el("small", {}, about)),
        heatmap(width, range, letters, sides[2 * at], sides[2 * at + 1], number))),
      el("div", { class: "heatmap" }, el("div", { class: "who" }), heatmapAxis(width, range, near ? letters : null)));
  };
  whenShown(holder, draw);
  return el("div", {},
    el("h4", {}, t("Start and end heat")),
    el("p", { class: "note" },
      t("Bars up: probability that the answer begins there; bars down: that it ends there. Full height is 100 %. Hatched: the gold; outlined: the answer."), " ", button),
    holder);
}

// *room* characters around answer and gold, or around the likeliest place; holds: whether both fit.
function nearRange(number, sides, size, room) {
  const spans = Q.golds[number].slice(0, 1).map(([text, start]) => [start, start + codePoints(text)]);
  if (Q.place[number] !== null) spans.push([Q.place[number], Q.place[number] + codePoints(Q.answer[number])]);
  const hottest = sides.flat().reduce((a, b) => (b.p > a.p ? b : a), { place: 0, p: 0 }).place;
  let begin = Math.min(...spans.map(([first]) => first), hottest), end = Math.max(...spans.map(([, last]) => last), hottest + 1);
  const holds = end - begin + 4 <= room;
  if (!holds) [begin, end] = spans.at(-1) ?? [hottest, hottest + 1];
  const from = Math.max(Math.min(Math.round((begin + end - room) / 2), size - room), 0);
  return { from, to: Math.min(from + room, size), holds };
}

function heatmap(width, { from, to }, letters, starts, ends, number) {
  const size = to - from || 1, height = 2 * HALF + 4;
  const x = (place) => ((place - from) / size) * width;
  const root = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": t("Start and end heat") });
  const band = (name, begin, length) => svg("rect", {
    class: name, x: x(begin) - 1, y: 0.5, width: (length / size) * width + 2, height: height - 1,
  });
  for (const [text, start] of Q.golds[number].slice(0, 1)) root.append(hatch(), band("gold-band", start, codePoints(text)));
  if (Q.place[number] !== null) root.append(band("answer-band", Q.place[number], codePoints(Q.answer[number])));
  root.append(svg("line", { class: "base", x1: 0, x2: width, y1: HALF + 2, y2: HALF + 2 }));
  const bar = (one, side) => {
    const tall = Math.max(one.p * HALF, 1.5);
    const wide = Math.max((width / size) * 0.8, 2.5);
    const node = svg("rect", {
      class: side, x: x(one.place + 0.5) - wide / 2, y: side === "start" ? HALF + 2 - tall : HALF + 2, width: wide, height: tall,
    });
    const around = side === "start" ? letters.slice(one.place, one.place + 8) : letters.slice(Math.max(one.place - 7, 0), one.place + 1);
    const words = side === "start" ? `${around.join("")}…` : `…${around.join("")}`;
    node.append(titled(t(side === "start" ? "begins at character {place} with {p}: {text}" : "ends at character {place} with {p}: {text}", { place: count(one.place), p: percent(one.p, 0), text: words })));
    return node;
  };
  const seen = (one) => one.place >= from && one.place < to;
  root.append(...starts.filter(seen).map((one) => bar(one, "start")), ...ends.filter(seen).map((one) => bar(one, "end")));
  return root;
}

function hatch() {
  return svg("defs", {}, svg("pattern", { id: "hatch", width: 5, height: 5, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
    svg("line", { x1: 0, y1: 0, x2: 0, y2: 5, class: "hatching" })));
}

function heatmapAxis(width, { from, to }, letters) {
  const size = to - from || 1, top = letters ? 20 : 0;
  const root = svg("svg", { width, height: 34 + top, viewBox: `0 0 ${width} ${34 + top}`, "aria-hidden": "true", class: "heatmap-axis" });
  if (letters) {
    for (let place = from; place < to; place++) {
      const letter = visible(letters[place]);
      root.append(svg("text", { class: "letter", x: ((place - from + 0.5) / size) * width, y: 13, "text-anchor": "middle" }, letter.length > 2 ? "·" : letter));
    }
  }
  for (const value of ticks(from, to, width < 420 ? 4 : 8)) {
    const at = ((value - from) / size) * width;
    root.append(svg("line", { x1: at, x2: at, y1: top, y2: top + 4 }),
      svg("text", { x: at, y: top + 15, "text-anchor": at < 20 ? "start" : at > width - 20 ? "end" : "middle" }, short(value)));
  }
  root.append(svg("text", { class: "axis", x: width / 2, y: top + 31, "text-anchor": "middle" }, t("place in the context, characters")));
  return root;
}
