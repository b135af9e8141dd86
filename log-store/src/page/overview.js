// Counts and latencies over time.

import { colorOf, timeChart } from "./charts.js";
import { amount, count, h, percent, table } from "./dom.js";
import { ALL_TIMES, ask, go, link, range, scopeFilter } from "./state.js";

export async function overview(root, signal) {
  const answer = await ask("/api/overview", range(), signal);
  const { totals, points } = answer;
  const all = totals.success + totals.error;
  const tile = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));
  root.append(
    h("h2", {}, "Overview"),
    h("dl", { class: "tiles" },
      tile("Predictions", count(all)),
      tile("Failed", percent(totals.error, all)),
      tile("Pending", count(totals.pending)),
      tile("p50", `${amount(totals.latency_ms.p50)} ms`),
      tile("p95", `${amount(totals.latency_ms.p95)} ms`),
      tile("p99", `${amount(totals.latency_ms.p99)} ms`)),
    all + totals.pending === 0 && h("p", {}, "There are no predictions in this time. ", h("a", link(ALL_TIMES), "Show all times")) || "",
  );
  const grid = h("div", { class: "grid" });
  root.append(grid);
  const times = points.map((point) => Date.parse(point.at) / 1000);
  const zoom = (from, to) => {
    const iso = (seconds) => new Date(Math.round(seconds) * 1000).toISOString().replace(".000", "");
    go({ from: iso(from), to: iso(Math.max(to, from + 60)) });
  };
  const per = answer.step_s < 3600 ? `${answer.step_s / 60} min` : `${answer.step_s / 3600} h`;
  const sum = (point) => point.success + point.error;
  const charts = [
    timeChart(grid, `Predictions per ${per}`, times, [
      { name: "all", color: "success", area: true, values: points.map(sum) },
      { name: "failed", color: "error", area: true, values: points.map((point) => point.error) },
    ], amount, zoom),
    timeChart(grid, "Failure ratio in %", times, [
      { name: "failed", color: "error", values: points.map((point) => (sum(point) ? (100 * point.error) / sum(point) : null)) },
    ], amount, zoom),
    timeChart(grid, "Latency in ms", times, ["p50", "p95", "p99"].map((name) => (
      { name, color: name, values: points.map((point) => point.latency_ms[name]) }
    )), amount, zoom),
    timeChart(grid, `Predictions per instance and ${per}`, times, answer.instances.slice(0, 7).map((instance, index) => (
      { name: instance.instance || "(unknown)", color: colorOf(index), values: instance.counts }
    )), amount, zoom),
  ];
  const counts = (name) => [
    { name: "Predictions", number: true, cell: (row) => count(row.success + row.error) },
    { name: "Failed", number: true, cell: (row) => percent(row.error, row.success + row.error) },
    { name: "Pending", number: true, cell: (row) => count(row.pending) },
    ...["p50", "p95", "p99"].map((p) => ({ name: `${p} ms`, number: true, cell: (row) => amount(row.latency_ms[p]) })),
    { name: "", cell: (row) => h("a", { ...link({ view: "search", filter: [scopeFilter(), name(row)].filter(Boolean).join(" ") }) }, "predictions") },
  ];
  root.append(
    h("h2", {}, "Models"),
    table("By model and version", [
      { name: "Model", cell: (row) => h("a", link({ model: row.model, version: row.version }), row.model || "(unknown)") },
      { name: "Version", cell: (row) => row.version },
      ...counts((row) => `model="${row.model}" version="${row.version}"`),
    ], answer.models),
    h("h2", {}, "Instances"),
    table("By instance", [
      { name: "Instance", cell: (row) => h("a", link({ instance: row.instance }), row.instance || "(unknown)") },
      ...counts((row) => `instance="${row.instance}"`),
    ], answer.instances),
  );
  return () => charts.forEach((remove) => remove());
}
