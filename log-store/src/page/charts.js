// Charts, with uPlot.

import { h, table } from "./dom.js";

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

const INSTANCE_COLORS = ["p50", "p95", "p99", "success", "error", "pending", "before"];

/** Returns the color of a series without a meaning of its own. */
export const colorOf = (index) => INSTANCE_COLORS[index % INSTANCE_COLORS.length];

function axes(format) {
  const common = { stroke: color("soft"), grid: { stroke: color("line"), width: 1 }, ticks: { stroke: color("line"), width: 1 } };
  return [common, { ...common, size: 60, values: (_, ticks) => ticks.map(format) }];
}

function legend(series) {
  return h("ul", { class: "legend" }, series.map((one) => {
    const square = h("canvas", { width: 1, height: 1, "aria-hidden": "true" });
    const context = square.getContext("2d");
    context.fillStyle = color(one.color);
    context.fillRect(0, 0, 1, 1);
    return h("li", {}, square, one.name);
  }));
}

/**
 * Adds a chart over time. A series is `{ name, color, values, area }`. Dragging selects a span of time,
 * which `zoom(from, to)` gets in seconds.
 */
export function timeChart(parent, title, times, series, format, zoom) {
  const place = h("div", { class: "chart", role: "img", "aria-label": `Chart: ${title}. The table below has its numbers.` });
  const columns = [{ name: "Time", cell: (index) => new Date(times[index] * 1000).toLocaleString() },
    ...series.map((one) => ({ name: one.name, number: true, cell: (index) => (one.values[index] === null ? "–" : format(one.values[index])) }))];
  const rows = times.map((_, index) => index).filter((index) => series.some((one) => one.values[index]));
  const numbers = h("details", {}, h("summary", {}, "Numbers"));
  numbers.addEventListener("toggle", () => {
    if (numbers.open && numbers.children.length === 1) numbers.append(table(title, columns, rows));
  });
  parent.append(h("section", { class: "panel" }, h("h3", {}, title), place, legend(series), numbers));
  const options = {
    width: place.clientWidth || 600,
    height: 220,
    legend: { show: false },
    cursor: { drag: { x: true, y: false, setScale: false }, sync: { key: "time" } },
    scales: { y: { range: (_, least, most) => [Math.min(0, least ?? 0), most ? most * 1.05 : 1] } },
    axes: axes(format),
    series: [{}, ...series.map((one) => ({
      label: one.name,
      stroke: color(one.color),
      width: one.area ? 0 : 2,
      fill: one.area ? color(one.color) : undefined,
      paths: one.area ? uPlot.paths.stepped({ align: 1 }) : undefined,
      points: { show: one.area ? false : undefined, size: 4 },
    }))],
    hooks: {
      setSelect: [(plot) => {
        if (plot.select.width > 3) {
          const at = (position) => plot.posToVal(position, "x");
          const [from, to] = [at(plot.select.left), at(plot.select.left + plot.select.width)];
          // A chart that is removed while it handles the mouse keeps its listener, which takes the next click.
          // The other charts follow the selection, and are gone after the first zoom.
          setTimeout(() => plot.root.isConnected && zoom(from, to));
        }
      }],
    },
  };
  return mount(place, options, [times, ...series.map((one) => one.values)]);
}

/** Adds a chart of two distributions, each given as shares of its bars. */
export function distributionChart(parent, bars, format) {
  const share = (key) => {
    const all = bars.reduce((sum, bar) => sum + bar[key], 0);
    return bars.map((bar) => (all ? bar[key] / all : 0));
  };
  const labels = bars.map((bar) => bar.value ?? `${format(bar.low)} – ${format(bar.high)}`);
  const series = [{ name: "this span", color: "p50", values: share("count") }, { name: "the span before", color: "before", values: share("before_count") }];
  const place = h("div", { class: "chart", role: "img", "aria-label": "Chart of the distribution. The table below has its numbers." });
  const show = (number) => `${(100 * number).toFixed(1)} %`;
  const numbers = h("details", {}, h("summary", {}, "Numbers"), table("Shares of the values", [
    { name: "Value", cell: (index) => labels[index] },
    ...series.map((one) => ({ name: one.name, number: true, cell: (index) => show(one.values[index]) })),
  ], labels.map((_, index) => index)));
  parent.append(place, legend(series), numbers);
  const label = (index) => {
    const bar = bars[index];
    return bar === undefined ? "" : (bar.value ?? format(bar.low));
  };
  const [x, y] = axes(show);
  const options = {
    width: place.clientWidth || 400,
    height: 220,
    legend: { show: false },
    cursor: { drag: { x: false, y: false } },
    scales: { x: { time: false, range: [-0.6, bars.length - 0.4] }, y: { range: (_, least, most) => [0, most ? most * 1.05 : 1] } },
    axes: [{ ...x, values: (_, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? label(tick) : "")) }, y],
    series: [{}, ...series.map((one, index) => ({
      label: one.name,
      stroke: color(one.color),
      fill: color(one.color),
      paths: uPlot.paths.bars({ size: [0.4, 60], align: index === 0 ? -1 : 1 }),
      points: { show: false },
    }))],
  };
  return mount(place, options, [labels.map((_, index) => index), ...series.map((one) => one.values)]);
}

/** Draws a chart, which keeps the width of its place. Returns what removes it. */
function mount(place, options, data) {
  const plot = new uPlot(options, data, place);
  const observer = new ResizeObserver(() => {
    if (place.clientWidth) plot.setSize({ width: place.clientWidth, height: options.height });
  });
  observer.observe(place);
  return () => {
    observer.disconnect();
    plot.destroy();
  };
}
