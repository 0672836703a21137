// Charts as inline SVG, drawn at their actual width so that their text keeps its size.

const SVG = "http://www.w3.org/2000/svg";
const DASHES = ["", "7 4", "2 3", "10 3 2 3", "4 2", "1 4"];
const POINTS = ["circle", "square", "triangle", "diamond"];

function svg(name, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) node.setAttribute(key, value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

const titled = (text) => svg("title", {}, visible(text));

// Round numbers that span [low, high] in about *wanted* steps.
function ticks(low, high, wanted = 5) {
  const rough = (high - low || 1) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= rough);
  const found = [];
  for (let value = Math.ceil(low / step - 1e-9) * step; value <= high + 1e-9; value += step) {
    found.push(Number(value.toFixed(10)));
  }
  return found;
}

const short = (value) => (Math.abs(value) >= 1000 ? count(value) : String(Number(value.toFixed(2))));

// A frame with axes; returns the scales and the node to draw into.  Labels of axes end in their unit.
function frame(width, { x, y, height = 260, title }) {
  const left = 64, right = 14, top = 12, bottom = 46;
  const root = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": title });
  const place = (axis, from, to) => {
    const scale = axis.log ? Math.log : (value) => value;
    const [low, high] = [scale(axis.low), scale(axis.high)];
    return (value) => from + ((scale(value) - low) / (high - low || 1)) * (to - from);
  };
  const sx = place(x, left, width - right);
  const sy = place(y, height - bottom, top);
  const grid = svg("g", { class: "grid" });
  for (const value of y.ticks ?? ticks(y.low, y.high)) {
    grid.append(
      svg("line", { x1: left, x2: width - right, y1: sy(value), y2: sy(value) }),
      svg("text", { x: left - 12, y: sy(value) + 4, "text-anchor": "end" }, (y.format ?? short)(value)),
    );
  }
  for (const value of x.ticks ?? ticks(x.low, x.high, width < 420 ? 4 : 7)) {
    grid.append(
      svg("line", { class: "tick", x1: sx(value), x2: sx(value), y1: height - bottom, y2: height - bottom + 5 }),
      svg("text", { x: sx(value), y: height - bottom + 19, "text-anchor": "middle" }, (x.format ?? short)(value)),
    );
  }
  const middle = (top + height - bottom) / 2;
  root.append(
    grid,
    svg("text", { class: "axis", x: (left + width - right) / 2, y: height - 6, "text-anchor": "middle" }, x.label),
    svg("text", { class: "axis", x: 13, y: middle, "text-anchor": "middle", transform: `rotate(-90 13 ${middle})` }, y.label),
  );
  return { root, sx, sy, left, right: width - right, top, bottom: height - bottom };
}

function pointShape(kind, x, y, size = 4) {
  if (kind === "square") return svg("rect", { x: x - size, y: y - size, width: 2 * size, height: 2 * size });
  if (kind === "triangle") return svg("path", { d: `M${x} ${y - size - 1}L${x + size + 1} ${y + size}H${x - size - 1}Z` });
  if (kind === "diamond") return svg("path", { d: `M${x} ${y - size - 1}L${x + size + 1} ${y}L${x} ${y + size + 1}L${x - size - 1} ${y}Z` });
  return svg("circle", { cx: x, cy: y, r: size });
}

// Series of {label, points: [[x, y, note]]}: with different dashes and points as well as colours.
function drawLines(area, series, { points = true } = {}) {
  series.forEach((one, at) => {
    const tone = `series s${at % 6}`;
    const path = one.points.map(([x, y], index) => `${index ? "L" : "M"}${area.sx(x).toFixed(1)} ${area.sy(y).toFixed(1)}`).join("");
    const group = svg("g", { class: tone });
    group.append(svg("path", { class: "line", d: path, "stroke-dasharray": DASHES[at % 6] || null }));
    if (points) {
      for (const [x, y, note] of one.points) {
        const shape = pointShape(POINTS[at % 4], area.sx(x), area.sy(y), 3.2);
        shape.append(titled(note ?? `${one.label}: ${short(x)}, ${short(y)}`));
        group.append(shape);
      }
    }
    area.root.append(group);
  });
}

// Mark a point by a ring; what it means stands in the legend, where it covers no curve.
function mark(area, x, y, text) {
  area.root.append(svg("g", { class: "meant" }, svg("circle", { cx: area.sx(x), cy: area.sy(y), r: 7.5 }, titled(text))));
}

function ringKey(text) {
  const sample = svg("svg", { width: 16, height: 16, "aria-hidden": "true" }, svg("g", { class: "meant" }, svg("circle", { cx: 8, cy: 8, r: 6 })));
  return el("li", { class: "ring" }, sample, el("span", {}, text));
}

function legend(labels, ...more) {
  return el("ul", { class: "legend" }, labels.map((label, at) => {
    const sample = svg("svg", { width: 34, height: 12, "aria-hidden": "true" });
    sample.append(svg("g", { class: `series s${at % 6}` },
      svg("path", { class: "line", d: "M1 6H33", "stroke-dasharray": DASHES[at % 6] || null }),
      pointShape(POINTS[at % 4], 17, 6, 3.2)));
    return el("li", {}, sample, data(label));
  }), more);
}

// Draw when the node has a width, and again when the width changes.
function whenShown(node, draw) {
  let last = 0;
  new ResizeObserver(() => {
    if (node.clientWidth && node.clientWidth !== last) {
      last = node.clientWidth;
      draw();
    }
  }).observe(node);
}
