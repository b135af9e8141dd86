// What the page shows is in its address, so that a view can be sent to a colleague.

const DEFAULTS = { view: "overview", from: "24h" };
const SCOPE = ["model", "version", "instance"];

/** The change of the state that shows all times. */
export const ALL_TIMES = { from: "0001-01-01", to: null };

/** Reads the state from the address. */
export function state() {
  return { ...DEFAULTS, ...Object.fromEntries(new URLSearchParams(location.search)) };
}

/** Returns the address of the present state with changes. `null` removes a part. */
export function address(changes = {}) {
  const next = { ...state(), ...changes };
  const parts = Object.entries(next).filter(([name, value]) => value && value !== DEFAULTS[name]);
  const query = new URLSearchParams(parts).toString();
  return query ? `/?${query}` : "/";
}

/** Changes the state and shows it. */
export function go(changes) {
  history.pushState(null, "", address(changes));
  dispatchEvent(new Event("state"));
}

/** Returns the properties of a link that changes the state without loading the page again. */
export function link(changes) {
  return {
    href: address(changes),
    onclick: (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
      event.preventDefault();
      go(changes);
    },
  };
}

/** Returns the parameters of the present time and scope. */
export function range(withScope = true) {
  const now = state();
  const names = ["from", "to", ...(withScope ? SCOPE : [])];
  return Object.fromEntries(names.map((name) => [name, now[name]]).filter(([, value]) => value));
}

/** Returns the filter of the present scope. */
export function scopeFilter() {
  const now = state();
  const quote = (text) => `"${text.replace(/[\\"]/g, "\\$&")}"`;
  return SCOPE.filter((name) => now[name]).map((name) => `${name}=${quote(now[name])}`).join(" ");
}

/** Keeps whole numbers that JavaScript would round, such as ids, as text. */
const exact = (name, any, context) => (typeof any === "number" && !Number.isSafeInteger(any) && /^-?\d+$/.test(context?.source) ? context.source : any);

/** Asks the API. An answer that is an error is thrown. */
export async function ask(path, parameters = {}, signal) {
  const parts = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const response = await fetch(`${path}?${new URLSearchParams(parts)}`, { signal });
  const answer = JSON.parse(await response.text(), exact);
  if (!response.ok) throw Object.assign(new Error(answer.messages.join("\n")), { place: answer.place });
  return answer;
}
