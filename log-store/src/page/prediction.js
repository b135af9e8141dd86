// One prediction: both records side by side, and everything else under its id.

import { amount, h, status, table, time, value } from "./dom.js";
import { ask, link, state } from "./state.js";

export async function prediction(root, signal) {
  const { id } = state();
  const found = await ask(`/api/predictions/${encodeURIComponent(id ?? "")}`, {}, signal);
  const item = (name, content) => h("div", {}, h("dt", {}, name), h("dd", {}, content));
  const to = (other, text, key) => other && h("a", { ...link({ id: other.prediction_id ?? other.key }), "data-key": key }, text);
  root.append(
    h("h2", {}, "Prediction"),
    h("p", { class: "row" }, h("code", {}, found.prediction_id ?? found.key), to(found.earlier, "← the one before", "ArrowLeft"), to(found.later, "the one after →", "ArrowRight")),
    h("dl", { class: "tiles" },
      item("Status", status(found.status)),
      item("Duration", found.duration_ms === null ? "–" : `${amount(found.duration_ms)} ms`),
      item("Model", `${found.model} ${found.version}`),
      item("Instance", found.instance || "–")),
    found.error_info && h("pre", { class: "error" }, found.error_info) || "",
    h("div", { class: "grid" },
      h("section", { class: "panel" }, h("h3", {}, "Requested ", time(found.requested_at)), pairs("Inputs", found.inputs)),
      h("section", { class: "panel" }, h("h3", {}, "Answered ", time(found.answered_at)), pairs("Outputs", found.outputs))),
    records(found.records),
    found.is_complete ? "" : h("p", {}, "There is more under this id than is shown here."),
  );
  if (found.log.length) {
    const rest = (record) => Object.entries(record).filter(([name]) => name !== "message").map(([name, any]) => `${name}=${value(any)}`).join("  ");
    root.append(h("h2", {}, "Also logged under this id"), table("Records with this id", [
      { name: "Message", wrap: true, cell: (record) => value(record.message) },
      { name: "Fields", wrap: true, cell: rest },
    ], found.log));
  }
  if (found.others.length) {
    root.append(h("h2", {}, "Other predictions with this id"), table("Other predictions with this id", [
      { name: "Model", cell: (row) => `${row.model} ${row.version}` },
      { name: "Status", cell: (row) => status(row.status) },
      { name: "Prediction", id: true, cell: (row) => h("a", link({ id: row.key }), row.key) },
    ], found.others));
  }
}

function pairs(caption, object) {
  const entries = Object.entries(object);
  if (entries.length === 0) return h("p", { class: "soft" }, `No ${caption.toLowerCase()} are logged.`);
  return table(caption, [
    { name: "Field", cell: ([name]) => name },
    { name: "Value", wrap: true, cell: ([, any]) => value(any) },
  ], entries);
}

/** Shows the records side by side, a member per line. */
function records(list) {
  const names = [...new Set(list.flatMap((record) => Object.keys(record)))];
  const columns = list.map((record) => ({
    name: value(record.message),
    wrap: true,
    cell: (name) => {
      if (!(name in record)) return "";
      const differs = list.some((other) => value(other[name]) !== value(record[name]));
      return h("span", differs ? { class: "different" } : {}, value(record[name]));
    },
  }));
  return h("section", {}, h("h2", {}, "Records"),
    table("The records as they were logged. Values that differ are bold.", [{ name: "Member", cell: (name) => name }, ...columns], names));
}
