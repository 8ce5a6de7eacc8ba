"use strict";
(() => {
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const touch = matchMedia("(pointer: coarse)").matches;
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

  const line = (given) => ({
    ...given,
    line: { ...given.line, color: color(given.line.color) },
    ...(given.fill && { fillcolor: color(`${given.line.color}-faint`) }),
    ...(given.stackgroup && { fillcolor: color(given.line.color) }),
  });
  const bar = (given) => ({ ...given, marker: { color: color(given.marker.color) } });
  const heatmap = (given) => ({
    ...given,
    textfont: { color: color("ink") },
    colorscale: [
      [0, color("loss")],
      [0.5, color("paper")],
      [1, color("equity")],
    ],
  });
  const kinds = { scatter: line, bar, heatmap };
  const traces = (given) => given.map((one) => kinds[one.type](one));

  const axis = (given) => ({ ...given, gridcolor: color("rule"), linecolor: color("rule") });

  const layout = (given) => ({
    ...given,
    paper_bgcolor: "transparent",
    plot_bgcolor: "transparent",
    font: { family: "system-ui, sans-serif", size: 12, color: color("faint") },
    hoverlabel: { bgcolor: color("paper"), bordercolor: color("rule"), font: { color: color("ink") } },
    dragmode: touch ? false : "zoom", // A finger scrolls the page.
    xaxis: { ...axis(given.xaxis), showgrid: false, fixedrange: touch },
    yaxis: axis(given.yaxis),
  });

  const draw = () => {
    for (const [place, figure] of Object.entries(figures)) {
      Plotly.react(`plot-${place}`, traces(figure.data), layout(figure.layout), {
        responsive: true,
        displayModeBar: false,
      });
    }
  };

  draw();
  dark.addEventListener("change", draw);
})();
