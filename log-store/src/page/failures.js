// Failures by cause.

import { count, h, table, time } from "./dom.js";
import { ask, link, range } from "./state.js";

export async function failures(root, signal) {
  const answer = await ask("/api/failures", range(), signal);
  root.append(h("h2", {}, "Failures"));
  if (answer.failures.length === 0) {
    root.append(h("p", {}, "No prediction has failed in this time."));
    return;
  }
  if (!answer.is_complete) root.append(h("p", { role: "alert" }, "There are too many failures for one look: only the newest are counted. Choose a shorter time."));
  root.append(
    h("p", { class: "soft" }, "# stands for words with digits, which differ from failure to failure."),
    table("Causes, the newest failure first", [
      { name: "Cause", wrap: true, cell: (row) => row.cause || "(no error was logged)" },
      { name: "Model", cell: (row) => row.model },
      { name: "Count", number: true, cell: (row) => count(row.count) },
      { name: "First", cell: (row) => time(row.first_at) },
      { name: "Last", cell: (row) => time(row.last_at) },
      { name: "Newest", cell: (row) => h("a", link({ view: "prediction", id: row.example.prediction_id ?? row.example.key }), "show") },
    ], answer.failures),
    h("p", {}, h("a", link({ view: "search", filter: "status=error" }), "All failed predictions of this time")),
  );
}
