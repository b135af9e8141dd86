// Search with the filter language, and the live view.

import { amount, fields, h, status, table, time } from "./dom.js";
import { ALL_TIMES, ask, go, link, range, scopeFilter, state } from "./state.js";

const HELP = "age>60   charges=10000..20000   status=error,pending   region=south*   region!=north   \"out of range\"   an id";

const COLUMNS = [
  { name: "Time", cell: (row) => time(row.requested_at ?? row.answered_at) },
  { name: "Status", cell: (row) => status(row.status) },
  { name: "Prediction", id: true, cell: (row) => h("a", link({ view: "prediction", id: row.prediction_id ?? row.key }), row.prediction_id ?? row.key) },
  { name: "Model", cell: (row) => row.model },
  { name: "Instance", cell: (row) => row.instance },
  { name: "ms", number: true, cell: (row) => amount(row.duration_ms) },
  { name: "Inputs", wrap: true, cell: (row) => fields(row.inputs) },
  { name: "Outputs", wrap: true, cell: (row) => row.error_info ?? fields(row.outputs) },
];

/** Shows the form of a filter. */
function form(view, placeholder) {
  const input = h("input", { name: "filter", "aria-label": "Filter", autocomplete: "off", spellcheck: "false", placeholder });
  input.value = state().filter ?? "";
  return h("form", { class: "search", onsubmit: (event) => { event.preventDefault(); go({ view, filter: input.value.trim() }); } },
    input, h("button", { type: "submit" }, "Search"));
}

/** Shows a mistake in a filter at its place. */
function mistake(error, filter) {
  if (!error.place) throw error;
  const marks = " ".repeat(error.place.start) + "^".repeat(Math.max(error.place.length, 1));
  return h("div", { role: "alert" }, h("p", { class: "error" }, error.message), h("pre", { class: "mark" }, `${filter}\n${marks}`));
}

function download(filter) {
  const parameters = { ...range(false), filter, limit: "all" };
  const save = (format) => {
    const query = new URLSearchParams({ ...parameters, format });
    return h("a", { href: `/api/predictions?${query}`, download: `predictions.${format}` }, format.toUpperCase());
  };
  return h("p", { class: "row" }, "Download all that match:", save("csv"), save("json"));
}

const whole = () => [scopeFilter(), state().filter].filter(Boolean).join(" ");

export async function search(root, signal) {
  root.append(h("h2", {}, "Search"), form("search", "age>60 status=error"), h("p", { class: "soft" }, "Conditions: ", h("code", {}, HELP)));
  const filter = whole();
  const list = h("div", {});
  const more = h("div", { class: "row" });
  root.append(list, more);
  const rows = [];
  const load = async (after) => {
    more.replaceChildren("Searching…");
    const answer = await ask("/api/predictions", { ...range(false), filter, after, limit: "100" }, signal);
    rows.push(...answer.predictions);
    if (rows.length || answer.next) list.replaceChildren(download(filter), table(`${rows.length} predictions, the newest first`, COLUMNS, rows));
    else list.replaceChildren(h("p", {}, "No prediction matches in this time. ", h("a", link(ALL_TIMES), "Search all times")));
    more.replaceChildren();
    if (!answer.next) return;
    // A search that has found nothing within its time goes on.
    if (answer.predictions.length === 0) await load(answer.next);
    else more.append(h("button", { type: "button", onclick: () => load(answer.next) }, "Older predictions"));
  };
  try {
    await load();
  } catch (error) {
    more.replaceChildren();
    list.replaceChildren(mistake(error, filter));
  }
}

export async function live(root, signal) {
  let paused = false;
  const pause = h("button", { type: "button", "aria-pressed": "false", onclick: () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
  } }, "Pause");
  const list = h("div", {});
  root.append(h("h2", {}, "Live"), form("live", "status=error"), h("p", { class: "row" }, pause, h("span", { class: "soft" }, "The newest 50 predictions, looked up each second.")), list);
  const filter = whole();
  let known = new Set();
  const look = async () => {
    if (paused || document.hidden) return;
    const answer = await ask("/api/predictions", { filter, limit: "50" }, signal);
    const content = table("The newest predictions", COLUMNS, answer.predictions);
    const lines = content.querySelectorAll("tbody tr");
    answer.predictions.forEach((row, index) => known.size && !known.has(row.key) && lines[index].classList.add("new"));
    known = new Set(answer.predictions.map((row) => row.key));
    list.replaceChildren(content);
  };
  try {
    await look();
  } catch (error) {
    list.replaceChildren(mistake(error, filter));
    return undefined;
  }
  const timer = setInterval(() => look().catch(() => {}), 1000);
  return () => clearInterval(timer);
}
