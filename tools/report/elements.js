// Parts of a page.
const data = JSON.parse(document.getElementById("data").textContent);

function element(name, attributes = {}, ...children) {
  const e = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
  e.append(...children);
  return e;
}

// A section with its line in the table of contents.
function section(id, title, note, ...children) {
  const s = element("section", { id, "aria-labelledby": `${id}-title` }, element("h2", { id: `${id}-title` }, title));
  if (note) s.append(element("p", { class: "note" }, note));
  s.append(...children);
  document.getElementById("report").append(s);
  document.getElementById("contents").append(element("a", { href: `#${id}` }, title));
  return s;
}

// rows: arrays of cells; text: the indices of columns that hold words.
function table(caption, head, rows, text = [0]) {
  const cell = (kind, content, i) => element(kind, text.includes(i) ? { class: "text" } : {}, content);
  return element("div", { class: "scroll" }, element("table", {},
    element("caption", {}, caption),
    element("thead", {}, element("tr", {}, ...head.map((h, i) => cell("th", h, i)))),
    element("tbody", {}, ...rows.map(row => element("tr", {}, ...row.map((c, i) => cell("td", c, i)))))));
}

const percent = (x, digits = 1) => `${(100 * x).toFixed(digits)} %`;
const range = (pair, digits = 1) => `${(100 * pair[0]).toFixed(digits)} to ${percent(pair[1], digits)}`;

// Eight colours that people who see colours differently tell apart (Okabe and Ito 2008, their yellow and black but for ones
// that show on light and dark), each in three shapes.
const COLOURS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#aa3377", "#7f7f7f"];
const SHAPES = ["circle", "square", "triangle"];
const colourOf = i => COLOURS[i % COLOURS.length];
const shapeOf = i => SHAPES[Math.floor(i / COLOURS.length) % SHAPES.length];

// The i-th thumbnail, cut out of its sheet.
function thumbnail(i) {
  const t = data.thumbnails, perSheet = t.columns * t.rows, at = i % perSheet;
  const column = at % t.columns, row = Math.floor(at / t.columns);
  const part = (k, n) => n > 1 ? `${(100 * k) / (n - 1)}%` : "0";
  const e = element("div", { class: "picture", role: "img", "aria-label": `spectrogram of ${data.points.id[i]}` });
  e.style.backgroundImage = `url(${t.sheets[Math.floor(i / perSheet)]})`;
  e.style.backgroundSize = `${100 * t.columns}% ${100 * t.rows}%`;
  e.style.backgroundPosition = `${part(column, t.columns)} ${part(row, t.rows)}`;
  return e;
}

function card(i, ...lines) {
  return element("li", {}, thumbnail(i), ...lines.map(line => element("div", {}, line)));
}
