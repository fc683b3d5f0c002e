/**
 * Makes nodes, speaks to screen readers, shows messages and asks questions.
 * Decides how text reaches the page (as text, never as markup); refuses to know what it says.
 */

const SVG = "http://www.w3.org/2000/svg";

/**
 * A node: `el("button", {class: "quiet", type: "button", on: {click: run}, dataset: {code}}, "Skip")`.
 * Attributes that are null, undefined or false are left out; true gives an empty one. `style` is an object.
 */
export function el(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** As `el`, for the elements of a drawing. */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") for (const [type, run] of Object.entries(value)) node.addEventListener(type, run);
    else if (name === "dataset") Object.assign(node.dataset, value);
    else if (name === "style") for (const [key, one] of Object.entries(value)) node.style.setProperty(key, one);
    else if (name === "text") node.textContent = value ?? "";
    else if (name === "value" || name === "checked" || name === "disabled" || name === "hidden") node[name] = value;
    else if (value === true) node.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** The first node that fits, below `root`. */
export const find = (selector, root = document) => root.querySelector(selector);

/** All nodes that fit, as an array. */
export const findAll = (selector, root = document) => [...root.querySelectorAll(selector)];

/** Put these children in place of the old ones. */
export function replace(node, ...children) {
  node.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

let data;

/** What the server gave the page to start with. */
export function boot() {
  data ??= JSON.parse(document.getElementById("boot")?.textContent ?? "{}");
  return data;
}

/** Say a sentence to those who listen; `assertive` interrupts. The same words twice are said twice. */
export function say(text, { assertive = false } = {}) {
  const place = document.getElementById(assertive ? "warned" : "said");
  if (!place) return;
  place.textContent = "";
  requestAnimationFrame(() => { place.textContent = text; });
}

/**
 * A message at the edge of the page. `kind`: "info", "good", "bad". A bad one stays until it is closed.
 * `action`: {label, run}.
 */
export function toast(text, { kind = "info", action = null, seconds = 6 } = {}) {
  const node = el("div", { class: `toast ${kind}` }, el("p", { text }));
  const close = () => node.remove();
  if (action) node.append(el("button", { type: "button", on: { click: () => { close(); action.run(); } } }, action.label));
  node.append(el("button", { type: "button", class: "close", "aria-label": "Close the message", on: { click: close } }, "×"));
  document.getElementById("toasts")?.append(node);
  say(text, { assertive: kind === "bad" });
  if (kind !== "bad") setTimeout(close, seconds * 1000);
  return close;
}

/**
 * Ask in a dialog. `fields`: [{name, label, type: "text"|"textarea"|"select"|"checkbox"|…, options, required, value, hint}].
 * Resolves to {name: value, …}, or null when it was cancelled.
 */
export function ask({ title, body = null, fields = [], confirm = "OK", cancel = "Cancel", danger = false }) {
  return new Promise((resolve) => {
    const inputs = fields.map((field) => [field, input(field)]);
    const form = el("form", { method: "dialog" },
      el("h2", { text: title, id: "ask-title" }),
      typeof body === "string" ? el("p", { text: body }) : body,
      inputs.map(([field, node]) => row(field, node)),
      el("div", { class: "buttons" },
        el("button", { type: "submit", class: danger ? "danger" : "primary", value: "yes" }, confirm),
        cancel && el("button", { type: "button", class: "quiet", on: { click: () => dialog.close("") } }, cancel)));
    const dialog = el("dialog", { class: "ask", "aria-labelledby": "ask-title" }, form);
    dialog.addEventListener("close", () => {
      dialog.remove();
      const given = Object.fromEntries(inputs.map(([field, node]) => [field.name, node.type === "checkbox" ? node.checked : node.value]));
      resolve(dialog.returnValue === "yes" ? given : null);
    });
    // Enter makes a line in a long text, so there Ctrl+Enter answers.
    form.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      form.requestSubmit(find("button[type=submit]", form));
    });
    document.body.append(dialog);
    dialog.showModal();
    inputs[0]?.[1].focus();
  });
}

function input({ name, type = "text", options = [], required = false, value = "", hint = "", maxlength = null }) {
  const shared = { name, id: `ask-${name}`, required, maxlength, "aria-describedby": hint ? `ask-${name}-hint` : null };
  if (type === "textarea") return el("textarea", { ...shared, rows: 4, value });
  if (type === "checkbox") return el("input", { ...shared, type, checked: Boolean(value) });
  if (type !== "select") return el("input", { ...shared, type, value });
  return el("select", shared, options.map((one) => el("option", { value: one.value, selected: one.value === value }, one.label)));
}

function row(field, node) {
  const hint = field.hint && el("p", { class: "hint", id: `ask-${field.name}-hint`, text: field.hint });
  const label = el("label", { for: `ask-${field.name}`, text: field.label });
  return el("div", { class: `field ${field.type ?? "text"}` }, field.type === "checkbox" ? [node, label] : [label, node], hint);
}

const LOCALE = "en-GB";

/** 12345.678 -> "12,345.68"; a dash for what is not known. */
export function number(value, digits = 0) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  return new Intl.NumberFormat(LOCALE, { maximumFractionDigits: digits }).format(value);
}

/** 0.1234 -> "12.3 %". */
export function percent(value, digits = 1) {
  return value === null || value === undefined ? "–" : `${number(value * 100, digits)} %`;
}

/** Seconds in words: "40 s", "12 min", "3 h 20 min", "2 days". */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
  return `${Math.round(seconds / 86400)} days`;
}

/** A moment (ISO text or Date) as every page writes it: "2026-11-21 02:17 UTC". */
export function moment(value, { seconds = false } = {}) {
  return `${new Date(value).toISOString().slice(0, seconds ? 19 : 16).replace("T", " ")} UTC`;
}

/** How long ago a moment (ISO text or Date) is, in words. */
export function ago(moment) {
  const seconds = (Date.now() - new Date(moment).getTime()) / 1000;
  return seconds < 5 ? "just now" : `${duration(seconds)} ago`;
}

/** "1 region", "12 regions". */
export function count(many, noun, nouns = `${noun}s`) {
  return `${number(many)} ${many === 1 ? noun : nouns}`;
}
