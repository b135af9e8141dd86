// Elements and values. Values are always text, never markup.

/** Makes an element: `h("a", { href: "/" }, "text")`. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** Makes a table. A column is `{ name, number, wrap, cell(row) }`. */
export function table(caption, columns, rows) {
  const align = (column, more) => [column.number && "number", column.wrap && "wrap", column.id && "id", more].filter(Boolean).join(" ") || null;
  return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": caption },
    h("table", {},
      h("caption", {}, caption),
      h("thead", {}, h("tr", {}, columns.map((column) => h("th", { scope: "col", class: align(column) }, column.name)))),
      h("tbody", {}, rows.map((row) => h("tr", {}, columns.map((column) => h("td", { class: align(column) }, column.cell(row) ?? "")))))));
}

const whole = new Intl.NumberFormat();
const short = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 4 });

export const count = (number) => whole.format(number);
export const amount = (number) => (number === null || number === undefined ? "–" : short.format(number));
export const percent = (part, all) => (all ? `${short.format((100 * part) / all)} %` : "–");

/** Shows a time in the zone of the browser; the title has it as it is stored. */
export function time(text) {
  if (!text) return h("span", { class: "soft" }, "–");
  const date = new Date(text);
  const two = (number, width = 2) => String(number).padStart(width, "0");
  const shown = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ` +
    `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${two(date.getMilliseconds(), 3)}`;
  return h("time", { datetime: text, title: text }, shown);
}

export const status = (name) => h("span", { class: `status ${name}` }, name);

/** Shows a value of a record. */
export function value(any) {
  return typeof any === "string" ? any : JSON.stringify(any);
}

/** Shows an object on one line. */
export const fields = (object) => Object.entries(object).map(([name, any]) => `${name}=${value(any)}`).join("  ");
