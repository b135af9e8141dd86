// Other records, lines that are no records, and the sources.

import { count, h, table, time } from "./dom.js";
import { ask, go, link, range, state } from "./state.js";

export async function log(root, signal) {
  const { words } = state();
  const input = h("input", { "aria-label": "Words", placeholder: "words of the record" });
  input.value = words ?? "";
  root.append(h("h2", {}, "Other records"),
    h("form", { class: "search", onsubmit: (event) => { event.preventDefault(); go({ words: input.value.trim() }); } }, input, h("button", { type: "submit" }, "Search")));
  const [found, rejected, health] = await Promise.all([
    ask("/api/records", { ...range(false), search: words }, signal),
    ask("/api/rejected", { limit: "1000" }, signal),
    ask("/api/health", {}, signal),
  ]);
  root.append(
    table("Records that are not those of a prediction, the newest first", [
      { name: "Time", cell: (row) => time(row.at) },
      { name: "Level", cell: (row) => row.level },
      { name: "Logger", cell: (row) => row.logger },
      { name: "Message", wrap: true, cell: (row) => row.message },
      { name: "Prediction", id: true, cell: (row) => row.prediction_id && h("a", link({ view: "prediction", id: row.prediction_id }), row.prediction_id) },
      { name: "Record", cell: (row) => h("details", {}, h("summary", {}, "show"), h("pre", {}, JSON.stringify(row.record, null, 1))) },
    ], found.records),
    found.is_complete ? "" : h("p", {}, "There are older ones. Choose an earlier end, or search for words."),
    h("h2", {}, "Sources"),
    table("Files and standard input", [
      { name: "Path", wrap: true, cell: (row) => row.path },
      { name: "Bytes read", number: true, cell: (row) => count(row.position) },
      { name: "Records", number: true, cell: (row) => count(row.records) },
      { name: "Lines that are none", number: true, cell: (row) => count(row.rejected) },
    ], health.sources),
    h("h2", {}, "Lines that are no records"),
    table(`${count(health.rejected)} lines in all; the newest of them`, [
      { name: "Read", cell: (row) => time(row.at) },
      { name: "Source", cell: (row) => row.source },
      { name: "Line", wrap: true, cell: (row) => row.line },
    ], rejected.lines),
  );
}
