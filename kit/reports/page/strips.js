// Heat strips: where each member and the blend see the answer begin (bars up) and end (bars down).

function drawStrips(number, packed, letters) {
  const sides = unpackStrips(packed);
  const labels = MEMBERS.filter((member) => member.strip).map((member) => [member.label, `${percent(member.weight, 0)} of the weight`]);
  if (REPORT.blend && labels.length > 1) labels.push(["blend", "all together"]);
  if (!labels.length) return null;
  const holder = el("div", { class: "strips" });
  const draw = () => {
    const narrow = holder.clientWidth < 560;
    const width = Math.max(holder.clientWidth - (narrow ? 0 : 170), 200);
    fill(holder, labels.map(([name, about], at) =>
      el("div", { class: "strip" },
        el("div", { class: "who" }, data(name), el("small", {}, about)),
        strip(width, letters, sides[2 * at], sides[2 * at + 1], number))),
      el("div", { class: "strip" }, el("div", { class: "who" }), stripAxis(width, letters.length)));
  };
  whenShown(holder, draw);
  return el("div", {},
    el("h4", {}, "Start and end heat"),
    el("p", { class: "note" },
      "Bars up: probability that the answer begins there; bars down: that it ends there. Full height is 100 %. ",
      "Hatched: the gold; outlined: the answer."),
    holder);
}

function strip(width, letters, starts, ends, number) {
  const size = letters.length || 1, half = 20, height = 2 * half + 4;
  const x = (place) => (place / size) * width;
  const root = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": "start and end heat" });
  const band = (name, begin, length) => svg("rect", {
    class: name, x: x(begin) - 1, y: 0.5, width: Math.max(x(length), 2) + 2, height: height - 1,
  });
  for (const [text, start] of Q.golds[number].slice(0, 1)) root.append(hatch(), band("gold-band", start, codePoints(text)));
  if (Q.place[number] !== null) root.append(band("answer-band", Q.place[number], codePoints(Q.answer[number])));
  root.append(svg("line", { class: "base", x1: 0, x2: width, y1: half + 2, y2: half + 2 }));
  const bar = (one, side) => {
    const tall = Math.max(one.p * half, 1.5);
    const wide = Math.max(width / size, 2.5);
    const node = svg("rect", {
      class: side, x: x(one.place + 0.5) - wide / 2, y: side === "start" ? half + 2 - tall : half + 2, width: wide, height: tall,
    });
    const around = letters.slice(side === "start" ? one.place : Math.max(one.place - 7, 0), side === "start" ? one.place + 8 : one.place + 1).join("");
    node.append(titled(`${side} ${percent(one.p, 0)} at character ${count(one.place)}: ${side === "start" ? `${around}…` : `…${around}`}`));
    return node;
  };
  root.append(...starts.map((one) => bar(one, "start")), ...ends.map((one) => bar(one, "end")));
  return root;
}

function hatch() {
  return svg("defs", {}, svg("pattern", { id: "hatch", width: 5, height: 5, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
    svg("line", { x1: 0, y1: 0, x2: 0, y2: 5, class: "hatching" })));
}

function stripAxis(width, size) {
  const root = svg("svg", { width, height: 34, viewBox: `0 0 ${width} 34`, "aria-hidden": "true", class: "strip-axis" });
  for (const value of ticks(0, size, width < 420 ? 4 : 8)) {
    const at = Math.min((value / (size || 1)) * width, width);
    root.append(svg("line", { x1: at, x2: at, y1: 0, y2: 4 }),
      svg("text", { x: at, y: 15, "text-anchor": value === 0 ? "start" : at > width - 20 ? "end" : "middle" }, short(value)));
  }
  root.append(svg("text", { class: "axis", x: width / 2, y: 31, "text-anchor": "middle" }, "place in the context, characters"));
  return root;
}

// Draw once the node has a width, and again when it changes.
function whenShown(node, draw) {
  let last = 0;
  new ResizeObserver(() => {
    if (node.clientWidth && node.clientWidth !== last) {
      last = node.clientWidth;
      draw();
    }
  }).observe(node);
}
