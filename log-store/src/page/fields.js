// Distributions of the logged fields, compared with the span of time before.

import { distributionChart } from "./charts.js";
import { amount, count, h, percent, time } from "./dom.js";
import { ask, range } from "./state.js";

/** Number of fields that are shown at once. */
const SHOWN = 12;

function drift(psi) {
  if (psi === null) return "no drift figure: one of the spans has no values";
  const meaning = psi < 0.1 ? "stable" : psi < 0.25 ? "has moved" : "has changed";
  return `PSI ${amount(psi)}: ${meaning}`;
}

function help() {
  return h("details", {}, h("summary", {}, "What is the PSI?"),
    h("p", {}, "The population stability index compares the values of the chosen time with those of the same span before it: the sum over all bins of ",
      h("code", {}, "(a − b) · ln(a / b)"),
      ", where a is the share of a bin now and b its share before. The bins are the tenths of the numbers before, each text, and null. A share counts as 0.0001 at least. Below 0.1 a field is stable; above 0.25 it has changed."));
}

export async function fields(root, signal) {
  const known = (await ask("/api/fields", {}, signal)).fields;
  root.append(h("h2", {}, "Fields"), help());
  if (known.length === 0) root.append(h("p", {}, "No prediction with a logged field has been read."));
  const grid = h("div", { class: "grid" });
  root.append(grid);
  const charts = [];
  const show = async ({ name, side }) => {
    const panel = h("section", { class: "panel" }, h("h3", {}, `${name} `, h("span", { class: "soft" }, side)));
    grid.append(panel);
    const field = await ask(`/api/fields/${encodeURIComponent(name)}`, { ...range(), side }, signal);
    const q = field.quantiles;
    panel.append(
      h("p", {}, drift(field.psi)),
      h("p", { class: "soft" },
        `${count(field.count)} values, `,
        ...(field.before_count ? [`compared with ${count(field.before_count)} since `, time(field.before_from)] : ["none in the span before"]),
        field.nulls ? `; null ${percent(field.nulls, field.count)}` : "",
        q ? `; median ${amount(q.p50)}, 90 % between ${amount(q.p05)} and ${amount(q.p95)}` : ""));
    if (field.distribution.length) charts.push(distributionChart(panel, field.distribution, amount));
  };
  const rest = [...known];
  const next = async () => {
    await Promise.all(rest.splice(0, SHOWN).map(show));
    if (rest.length) {
      const button = h("button", { type: "button", onclick: () => { button.remove(); next(); } }, `${rest.length} more fields`);
      root.append(button);
    }
  };
  await next();
  return () => charts.forEach((remove) => remove());
}
