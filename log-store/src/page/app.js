// The frame of the page: views, time and scope, keys, theme.

import { h } from "./dom.js";
import { failures } from "./failures.js";
import { fields } from "./fields.js";
import { log } from "./log.js";
import { overview } from "./overview.js";
import { prediction } from "./prediction.js";
import { live, search } from "./search.js";
import { address, ask, go, link, state } from "./state.js";

const VIEWS = { overview, search, failures, fields, live, log, prediction };
const NAMES = { overview: "Overview", search: "Search", failures: "Failures", fields: "Fields", live: "Live", log: "Log" };
const PRESETS = ["15m", "1h", "6h", "24h", "7d", "30d"];
const main = document.getElementById("main");
const scope = document.getElementById("scope");

let running = new AbortController();
let cleanUp;

/** Shows what the address says. */
async function show() {
  running.abort();
  running = new AbortController();
  const { signal } = running;
  cleanUp?.();
  cleanUp = undefined;
  const now = state();
  const view = VIEWS[now.view] ?? overview;
  document.title = `${NAMES[now.view] ?? "Prediction"} – ml-logs`;
  showNavigation(now);
  const root = h("div", {});
  main.replaceChildren(root);
  main.setAttribute("aria-busy", "true");
  try {
    const remove = await view(root, signal);
    if (signal.aborted) remove?.();
    else cleanUp = remove;
  } catch (error) {
    if (!signal.aborted) root.append(h("p", { role: "alert", class: "error" }, error.message));
  } finally {
    if (!signal.aborted) main.setAttribute("aria-busy", "false");
  }
}

function showNavigation(now) {
  document.getElementById("nav").replaceChildren(...Object.entries(NAMES).map(([view, name]) => (
    h("a", { ...link({ view, id: null }), "aria-current": now.view === view && "page" }, name)
  )));
  document.getElementById("presets").replaceChildren(...PRESETS.map((from) => (
    h("button", { type: "button", "aria-pressed": String(now.from === from && !now.to), onclick: () => go({ from, to: null }) }, from)
  )));
  for (const name of ["from", "to"]) scope.elements[name].value = now[name] ?? "";
  for (const name of ["model", "version", "instance"]) offer(name, now[name]);
}

/** What the store has, for the choices of the scope. */
const known = { model: new Set(), version: new Set(), instance: new Set() };

function offer(name, chosen) {
  if (chosen) known[name].add(chosen);
  const options = [...known[name]].sort().map((value) => {
    const option = h("option", { value }, value);
    option.selected = value === chosen;
    return option;
  });
  scope.elements[name].replaceChildren(h("option", { value: "" }, "all"), ...options);
}

async function loadScope() {
  const { models, instances } = await ask("/api/overview", { from: "30d" });
  for (const group of models) {
    known.model.add(group.model);
    known.version.add(group.version);
  }
  for (const group of instances) known.instance.add(group.instance);
  for (const name of Object.keys(known)) {
    known[name].delete("");
    offer(name, state()[name]);
  }
}

/** Makes an instant of a local time or a date in the zone of the browser, in which the page shows times. A date as an end means its end. */
function instant(text, isEnd) {
  if (!/^\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d+)?)?)?$/.test(text)) return text;
  const isDate = text.length === 10;
  const date = new Date(isDate ? `${text}T00:00` : text.replace(" ", "T"));
  if (isDate && isEnd) date.setDate(date.getDate() + 1);
  // The server reports what is no time.
  return Number.isNaN(date.getTime()) ? text : date.toISOString().replace(".000", "");
}

scope.addEventListener("submit", (event) => {
  event.preventDefault();
  const { from, to, ...rest } = Object.fromEntries(new FormData(scope));
  go({ from: instant(from.trim(), false), to: instant(to.trim(), true), ...rest });
});
for (const name of ["model", "version", "instance"]) scope.elements[name].addEventListener("change", () => scope.requestSubmit());

const darkness = matchMedia("(prefers-color-scheme: dark)");

function applyTheme() {
  const chosen = localStorage.getItem("theme");
  const theme = chosen ?? (darkness.matches ? "dark" : "light");
  document.documentElement.dataset.theme = theme;
  const button = document.getElementById("theme");
  button.textContent = theme === "dark" ? "Light" : "Dark";
  button.setAttribute("aria-label", `Use the ${theme === "dark" ? "light" : "dark"} theme`);
}

document.getElementById("theme").addEventListener("click", () => {
  localStorage.setItem("theme", document.documentElement.dataset.theme === "dark" ? "light" : "dark");
  applyTheme();
  show();
});
darkness.addEventListener("change", () => {
  applyTheme();
  show();
});

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea")) return;
  const view = Object.keys(NAMES)[Number(event.key) - 1];
  const neighbour = document.querySelector(`a[data-key="${CSS.escape(event.key)}"]`);
  if (view) go({ view, id: null });
  else if (neighbour) neighbour.click();
  else if (event.key === "r") show();
  else if (event.key === "/") {
    event.preventDefault();
    const input = main.querySelector(".search input");
    if (input) input.focus();
    else {
      history.pushState(null, "", address({ view: "search" }));
      show().then(() => main.querySelector(".search input").focus());
    }
  }
});

/** Says when nothing is written. */
async function watchHealth() {
  const place = document.getElementById("status");
  try {
    place.textContent = (await ask("/api/health")).error ?? "";
  } catch (error) {
    place.textContent = `The server does not answer: ${error.message}`;
  }
  setTimeout(watchHealth, 5000);
}

addEventListener("state", () => show().then(() => main.focus({ preventScroll: true })));
addEventListener("popstate", show);
applyTheme();
show();
loadScope().catch(() => {});
watchHealth();
