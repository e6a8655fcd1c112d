// Plots are drawn when they come into view. Their points carry the row of a candidate: a click shows it, and the text
// of the hover is looked up in the table, so that it is in the file once.
function figureOf(place) {
  const { data, layout } = DATA.figures[Number(place.dataset.figures.split(" ")[Number(place.dataset.view || 0)])];
  for (const trace of data) {
    if (trace.meta === "candidates" && !trace.text) trace.text = trace.customdata.map(hoverText);
  }
  return { data, layout: { ...layout, template: DATA.templates[currentTheme()] } };
}

function hoverText(row) {
  const facts = DATA.table.columns.filter((column) => column.numeric).map((column) => `${column.label} ${cellText(column, row)}`);
  const architecture = cellText(columnNamed("architecture"), row).match(/.{1,70}/g)?.slice(0, 8) ?? [];
  return [facts.join(", "), ...architecture].map(withoutTags).join("<br>");
}

// Plotly reads a few tags in texts: a run's own "<" must not be one.
function withoutTags(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

async function drawPlot(place) {
  const { data, layout } = figureOf(place);
  const first = !place.dataset.drawn;
  place.dataset.drawn = "true";
  await Plotly.react(place, data, layout, { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["lasso2d", "select2d", "zoomIn2d", "zoomOut2d", "autoScale2d"] });
  if (first) {
    place.on("plotly_click", ({ points }) => {
      const point = points.find((candidate) => candidate.data.meta === "candidates");
      if (point) showCandidate(point.customdata, true);
    });
  }
}

function startPlots() {
  const seen = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      seen.unobserve(target);
      drawPlot(target);
    }
  }, { rootMargin: "300px" });
  for (const place of document.querySelectorAll(".plot")) seen.observe(place);
  themeListeners.push(() => document.querySelectorAll(".plot[data-drawn]").forEach(drawPlot));
  for (const tab of document.querySelectorAll(".tabs button")) tab.addEventListener("click", () => chooseView(tab));
}

function chooseView(tab) {
  for (const other of tab.parentElement.children) other.setAttribute("aria-selected", String(other === tab));
  const place = tab.closest(".panel").querySelector(".plot");
  place.dataset.view = tab.dataset.view;
  drawPlot(place);
}
