// Drawings in SVG: axes, lines and marks.
function svg(name, attributes = {}, ...children) {
  const e = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
  e.append(...children);
  return e;
}

// A frame with axes, 460 wide; x() and y() turn numbers into places. options: x, y (what the axes show), xText, yText
// (a number as text), xTicks, yTicks (numbers), height.
function chart(title, xs, ys, options) {
  const height = options.height || 280, left = 56, right = 432, top = 18, bottom = height - 42;
  const span = ([low, high]) => (high > low ? high - low : 1);
  const x = v => left + ((v - xs[0]) / span(xs)) * (right - left);
  const y = v => bottom - ((v - ys[0]) / span(ys)) * (bottom - top);
  const root = svg("svg", { viewBox: `0 0 460 ${height}`, width: 460, height, role: "img", "aria-label": title });
  const text = (px, py, content, anchor) => root.append(svg("text", { x: px, y: py, "text-anchor": anchor }, content));
  const quarters = range => [0, 1, 2, 3, 4].map(i => range[0] + (i / 4) * span(range));
  const number = v => Number(v.toPrecision(3)).toString();
  for (const v of options.yTicks || quarters(ys)) {
    root.append(svg("line", { class: "axis", x1: left, x2: right, y1: y(v), y2: y(v) }));
    text(left - 6, y(v) + 4, (options.yText || number)(v), "end");
  }
  for (const v of options.xTicks || quarters(xs)) text(x(v), bottom + 16, (options.xText || number)(v), "middle");
  text((left + right) / 2, height - 6, options.x, "middle");
  text(left, 12, options.y, "start");
  return { root, x, y, bottom };
}

// Some whole numbers of a range, its ends among them.
function wholeTicks([low, high]) {
  const step = Math.max(1, Math.ceil((high - low) / 5)), ticks = [];
  for (let v = low; v < high; v += step) ticks.push(v);
  return [...ticks.filter(v => high - v >= step / 2), high];
}

const DASHES = ["", "6 4", "2 3", "8 3 2 3"];

// lines: [{name, points: [[x, y], …]}], x whole numbers.
function lineChart(title, lines, options) {
  const all = lines.flatMap(l => l.points);
  const bounds = (k, zero) => [zero ? 0 : Math.min(...all.map(p => p[k])), Math.max(...all.map(p => p[k]))];
  const xs = bounds(0, false);
  const c = chart(title, xs, options.yRange || bounds(1, true), { ...options, xTicks: wholeTicks(xs) });
  lines.forEach((line, i) => {
    const path = line.points.map(([px, py]) => `${c.x(px)},${c.y(py)}`).join(" ");
    c.root.append(svg("polyline", { points: path, fill: "none", stroke: colourOf(i), "stroke-width": 2,
                                    "stroke-dasharray": DASHES[i % DASHES.length] }));
    const last = line.points[line.points.length - 1];
    for (const [px, py] of line.points) c.root.append(svg("circle", { cx: c.x(px), cy: c.y(py), r: 2.5, fill: colourOf(i) }));
    c.root.append(svg("text", { x: c.x(last[0]) - 4, y: c.y(last[1]) - 8, "text-anchor": "end" }, line.name));
  });
  return c.root;
}

// A class's colour and shape, as the map has them.
function shapeMark(k) {
  const fill = { fill: colourOf(k) };
  const shape = { circle: () => svg("circle", { cx: 6, cy: 6, r: 5, ...fill }), square: () => svg("rect", { x: 1, y: 1, width: 10, height: 10, ...fill }),
    triangle: () => svg("path", { d: "M6 1 L11 11 L1 11 Z", ...fill }) }[shapeOf(k)];
  return svg("svg", { width: 12, height: 12, viewBox: "0 0 12 12", "aria-hidden": "true" }, shape());
}
