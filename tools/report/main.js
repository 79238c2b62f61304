document.getElementById("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
});
for (const draw of [summary, curves, confusion, classes, reliabilityDiagram]) draw();
try {
  map();
} catch (problem) {  // no WebGL
  section("map-missing", "Map", `This browser cannot draw it: ${problem.message}`);
}
for (const draw of [suspects, outliers, clusters, gradCam, everything]) draw();
