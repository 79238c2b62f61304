// What the report says, from top to bottom.
const e = data.evaluation, points = data.points;

function summary() {
  const figures = !e ? [["test images", "0", "the run had no test part"]] : [
    ["top-1", percent(e.top1, 2), `95 % interval ${range(e.top1_interval)}`],
    ["top-5", percent(e.top5, 2), ""],
    ["macro-F1", e.macro_f1.toFixed(4), e.macro_f1_interval ? `95 % interval ${e.macro_f1_interval.map(v => v.toFixed(3)).join(" to ")}` : ""],
    ["calibration error", e.ece.toFixed(4), e.calibrated ? `${e.calibrated.ece.toFixed(4)} at temperature ${e.calibrated.temperature.toFixed(2)}` : ""],
    ["test images", String(e.images), ""],
  ];
  figures.push(["images in all", String(points.id.length), `${data.classes.length} classes`]);
  const list = element("dl", { class: "figures" }, ...figures.map(([name, value, more]) =>
    element("div", {}, element("dt", {}, name), element("dd", {}, value, element("small", {}, more)))));
  section("summary", "Summary", data.network, list);
}

function curves() {
  if (!data.epochs.length) return;
  const line = (name, key) => ({ name, points: data.epochs.filter(m => m[key] !== null).map(m => [m.epoch, m[key]]) });
  const some = lines => lines.filter(l => l.points.length);
  section("curves", "Learning curves", "By epoch, on the training and the validation part.", element("div", { class: "charts" },
    lineChart("loss by epoch", some([line("training", "train_loss"), line("validation", "val_loss")]), { x: "epoch", y: "loss" }),
    lineChart("top-1 accuracy by epoch", some([line("training", "train_top1"), line("validation", "val_top1")]),
      { x: "epoch", y: "top-1", yRange: [0, 1], yText: v => percent(v, 0) })));
}

function confusion() {
  if (!e) return;
  const labels = e.classes.map(c => c.label);
  const rows = e.confusion.map((row, i) => {
    const total = row.reduce((a, b) => a + b, 0);
    return element("tr", {}, element("th", { scope: "row" }, labels[i]), ...row.map((n, k) => {
      const share = total ? n / total : 0;
      const cell = element("td", { title: `${labels[i]} taken for ${labels[k]}: ${n} of ${total}` }, n ? String(n) : "");
      if (n) {
        cell.style.background = `rgba(${i === k ? "0,114,178" : "213,94,0"},${(0.12 + 0.78 * share).toFixed(3)})`;
        if (share > 0.55) cell.style.color = "#fff";
      }
      return cell;
    }));
  });
  section("confusion", "Confusion matrix", "Rows: the class it has; columns: the class it was given. Blue: right, orange: wrong.",
    element("div", { class: "scroll" }, element("table", { class: "confusion" },
      element("thead", {}, element("tr", {}, element("td"), ...labels.map(l => element("th", { scope: "col" }, l)))),
      element("tbody", {}, ...rows))));
}

function classes() {
  if (!e) return;
  section("classes", "Classes", "", table("Each class of the test part", ["class", "precision", "recall", "F1", "images"],
    e.classes.map(c => [c.label, c.precision.toFixed(3), c.recall.toFixed(3), c.f1.toFixed(3), String(c.support)])));
}

function reliabilityDiagram() {
  if (!e) return;
  const bins = e.reliability.filter(b => b.images);
  if (!bins.length) return;
  const c = chart("how often predictions of each confidence are right", [0, 1], [0, 1],
    { x: "probability claimed", y: "share that was right", xText: v => percent(v, 0), yText: v => percent(v, 0) });
    for (const b of bins) {
    const bar = svg("rect", { x: c.x(b.low) + 1, width: c.x(b.high) - c.x(b.low) - 2, y: c.y(b.accuracy), height: c.bottom - c.y(b.accuracy),
                              fill: colourOf(0), "fill-opacity": 0.75 });
    bar.append(svg("title", {}, `${b.images} images, claimed ${percent(b.confidence)}, right ${percent(b.accuracy)}`));
    c.root.append(bar);
  }
  c.root.append(svg("line", { class: "ideal", x1: c.x(0), y1: c.y(0), x2: c.x(1), y2: c.y(1) }));
  section("reliability", "Reliability", "A network that claims what it keeps fills the bars up to the dashed line.", c.root);
}

function suspects() {
  if (!data.suspects) return;
  section("suspects", "Suspected wrong labels", "The labels that the network and the neighbours contradict most, worst first.",
    element("ol", { class: "cards" }, ...data.suspects.map(s =>
      card(s.point, points.id[s.point], `labelled ${data.classes[points.label[s.point]]}`, `rather ${data.classes[s.suggested]}`, `score ${s.score.toFixed(3)}`))));
}

function outliers() {
  if (!data.outliers) return;
  section("outliers", "Outliers", "Glitches far from every group.", element("ol", { class: "cards" }, ...data.outliers.map(o =>
    card(o.point, points.id[o.point], data.classes[points.label[o.point]], `score ${o.score.toFixed(3)}`))));
}

function clusters() {
  if (!data.clusters) return;
  const when = t => (t === null ? "unknown" : t.toFixed(2));
  section("clusters", "Clusters over time", "Groups found without labels, the class most of their members have, and when each was first seen (GPS seconds).",
    table("Clusters", ["cluster", "images", "mostly", "of them", "first seen"], data.clusters.map(c =>
      [String(c.cluster), String(c.size), data.classes[c.mostly], percent(c.share), when(c.first_gps)]), [0, 2]));
  const timed = data.clusters.filter(c => c.times.length);
  if (!timed.length) return;
  const all = timed.flatMap(c => c.times), low = Math.min(...all), high = Math.max(...all);
  const c = chart("glitches of each cluster over time", [low, high], [0, timed.length],
    { x: "GPS time", y: "cluster", xText: v => v.toFixed(0), yTicks: [], xTicks: [low, (low + high) / 2, high], height: 60 + 16 * timed.length });
  timed.forEach((cluster, row) => {
    const y = c.y(timed.length - row - 0.5);
    c.root.append(svg("text", { x: 50, y: y + 4, "text-anchor": "end" }, String(cluster.cluster)));
    for (const t of cluster.times) c.root.append(svg("line", { x1: c.x(t), x2: c.x(t), y1: y - 5, y2: y + 5, stroke: colourOf(row), "stroke-opacity": 0.5 }));
  });
  document.getElementById("clusters").append(c.root);
}

function gradCam() {
  if (!data.grad_cam.length) return;
  section("grad-cam", "Where the network looks", "Dark: places that do not speak for the class that was predicted; the line encloses what speaks for it at least half as much as the best place (Grad-CAM).",
    element("ul", { class: "cards" }, ...data.grad_cam.map(g => element("li", {},
      element("img", { src: g.picture, alt: `Grad-CAM of ${g.id}` }), element("div", {}, g.id), element("div", {}, `${data.classes[g.label]}, taken for ${data.classes[g.predicted]}`)))));
}

function everything() {
  section("run", "Everything that made the run", "", element("pre", { tabindex: "0" }, JSON.stringify(data.made, null, 2)));
}
