// The map's section: it turns, shows the glitch under the pointer, hides classes.
const MAP_KEYS = "Drag or arrow keys turn it, the wheel or + and - zoom, space stops and starts the turning, N and P go from glitch to glitch.";

function map() {
  if (!points.x) return;
  const count = points.id.length, hidden = new Set();
  const canvas = element("canvas", { tabindex: "0", role: "img", "aria-describedby": "map-keys",
    "aria-label": `map of ${count} images in three dimensions` });
  const shown = element("div", { class: "shown", "aria-live": "polite" }, "Point at a glitch.");
  const colouring = element("select", { "aria-label": "colour by" }, element("option", { value: "label" }, "label"),
    element("option", { value: "predicted" }, "prediction"), ...(points.cluster ? [element("option", { value: "cluster" }, "cluster")] : []));
  const classFilter = element("fieldset", {}, element("legend", {}, "classes"));
  section("map", "Map", "The penultimate layer's vectors by t-SNE: images that look alike to the network lie together.",
    element("div", { class: "map" },
      element("div", {}, canvas, element("p", { class: "note", id: "map-keys" }, MAP_KEYS)),
      element("div", {}, element("label", {}, "colour by ", colouring), shown, classFilter)));

  const world = scene(canvas), view = world.view;
  let turning = !matchMedia("(prefers-reduced-motion: reduce)").matches, chosen = -1;
  const drawn = i => !hidden.has(points.label[i]);
  const NO_CLUSTER = 7;  // grey
  const kind = i => {
    if (!drawn(i)) return null;
    return colouring.value === "cluster" && points.cluster[i] < 0 ? NO_CLUSTER : points[colouring.value][i];
  };
  const show = () => world.show(kind);

  function choose(i) {
    chosen = i;
    const lines = [points.id[i], `label ${data.classes[points.label[i]]}`,
      `prediction ${data.classes[points.predicted[i]]} (${percent(points.probability[i])})`];
    if (points.part) lines.push(`part ${points.part[i]}`);
    if (points.cluster) lines.push(points.cluster[i] < 0 ? "of no cluster" : `cluster ${points.cluster[i]}`);
    if (points.gps && points.gps[i] !== null) lines.push(`GPS ${points.gps[i]}`);
    shown.replaceChildren(thumbnail(i), ...lines.map(l => element("div", {}, l)));
    world.mark(i);
  }
  function step(by) {
    for (let k = 1; k <= count; ++k) {
      const i = (((chosen + by * k) % count) + count) % count;
      if (drawn(i)) return choose(i);
    }
  }

  canvas.addEventListener("pointermove", event => {
    if (event.buttons) {
      view.yaw -= event.movementX * 0.008;
      view.pitch += event.movementY * 0.008;
      turning = false;
      world.draw();
      return;
    }
    const box = canvas.getBoundingClientRect(), i = world.under(event.clientX - box.left, event.clientY - box.top, drawn);
    if (i >= 0 && i !== chosen) choose(i);
  });
  canvas.addEventListener("wheel", event => {
    event.preventDefault();
    view.distance *= event.deltaY > 0 ? 1.1 : 1 / 1.1;
    world.draw();
  }, { passive: false });
  const keys = { ArrowLeft: () => { view.yaw -= 0.1; }, ArrowRight: () => { view.yaw += 0.1; }, ArrowUp: () => { view.pitch += 0.1; },
    ArrowDown: () => { view.pitch -= 0.1; }, "+": () => { view.distance /= 1.1; }, "-": () => { view.distance *= 1.1; },
    " ": () => { turning = !turning; }, n: () => step(1), p: () => step(-1) };
  canvas.addEventListener("keydown", event => {
    const act = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
    world.draw();
  });

  const setAll = on => {
    for (const box of classFilter.querySelectorAll("input")) if (box.checked !== on) { box.checked = on; box.dispatchEvent(new Event("change")); }
  };
  const all = element("button", { type: "button" }, "all"), none = element("button", { type: "button" }, "none");
  all.addEventListener("click", () => setAll(true));
  none.addEventListener("click", () => setAll(false));
  classFilter.append(all, " ", none);
  data.classes.forEach((name, c) => {
    const box = element("input", { type: "checkbox", checked: "" });
    box.addEventListener("change", () => { if (box.checked) hidden.delete(c); else hidden.add(c); show(); });
    classFilter.append(element("label", {}, box, shapeMark(c), name));
  });
  colouring.addEventListener("change", show);
  addEventListener("resize", world.draw);
  (function frame() {
    if (turning) { view.yaw += 0.002; world.draw(); }
    requestAnimationFrame(frame);
  })();
  show();
}
