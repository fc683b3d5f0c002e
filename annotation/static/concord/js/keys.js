/**
 * Keys: what each does on this screen, the sheet that `?` opens, rebinding, and no single keys for those who ask.
 * Decides which binding a key press means; refuses to know what a binding does. Bars: WCAG 2.2, 2.1.1 and 2.1.4.
 */

import { put } from "./api.js";
import { boot, el, replace, say, toast } from "./dom.js";

const bindings = new Map();
const RESERVED = new Set(["Ctrl+w", "Ctrl+t", "Ctrl+n", "Ctrl+Tab", "Tab", "Shift+Tab", "F5", "F11", "F12", "Ctrl+r", "Ctrl+l", "Ctrl+p"]);
const NAMES = { " ": "Space", ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→", Escape: "Esc" };

let own = boot().preferences?.keys ?? {};

/** Whether keys without Ctrl or Alt do something; where not, they do it with Alt. */
const hasSingleKeys = () => own.single !== false;

/**
 * Make keys known. Each binding: {id, keys, label, run, group?, when?, repeat?, inFields?}.
 * Keys are "Digit1" (by place on the keyboard), "f", "Shift+f", "Ctrl+Enter", "ArrowLeft", "?".
 * `when()` false: the key does nothing now. Returns a function that takes them back.
 */
export function register(list) {
  for (const binding of list) bindings.set(binding.id, { group: "This screen", ...binding });
  return () => list.forEach(({ id }) => bindings.delete(id));
}

/** The keys that stand for `id` now. */
export function keysOf(id) {
  return own.own?.[id] ?? bindings.get(id)?.keys ?? [];
}

/** A key as people read it: "Ctrl + Enter". */
export function readable(chord) {
  const shown = !hasSingleKeys() && isSingle(chord) ? `Alt+${chord}` : chord;
  const parts = shown === "+" ? ["+"] : shown.split(/\+(?=.)/);
  return parts.map((part) => NAMES[part] ?? part.replace(/^Digit/, "").replace(/^[a-z]$/, (sign) => sign.toUpperCase())).join(" + ");
}

/** <kbd> for the first key of a binding. */
export function hint(id) {
  const [first] = keysOf(id);
  return first ? el("kbd", { text: readable(first) }) : "";
}

function isSingle(chord) {
  if (/^(Shift\+)?Digit\d$/.test(chord)) return true;
  const last = chord.replace(/^Shift\+/, "");
  return [...last].length === 1;
}

/** The names a key press goes by, most exact first. */
export function chords(event) {
  const ctrl = event.ctrlKey || event.metaKey ? "Ctrl+" : "";
  const alt = event.altKey ? "Alt+" : "";
  const shift = event.shiftKey ? "Shift+" : "";
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(event.code ?? "");
  const found = [];
  if (digit) found.push(`${ctrl}${alt}${shift}Digit${digit[1]}`);
  const isCharacter = [...(event.key ?? "")].length === 1;
  const key = isCharacter ? event.key.toLowerCase() : event.key;
  // A sign that needs Shift on this keyboard is the sign itself; a letter with Shift is another key.
  const isLetter = isCharacter && event.key.toLowerCase() !== event.key.toUpperCase();
  found.push(`${ctrl}${alt}${isCharacter && !isLetter ? "" : shift}${key === " " ? "Space" : key}`);
  return found;
}

function isTyping(target) {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.tagName === "TEXTAREA" || target.tagName === "SELECT") return true;
  return target.tagName === "INPUT" && !["button", "checkbox", "radio", "range", "submit", "reset", "color"].includes(target.type);
}

function match(event) {
  const pressed = chords(event);
  for (const binding of bindings.values()) {
    for (const chord of keysOf(binding.id)) {
      const wanted = !hasSingleKeys() && isSingle(chord) ? `Alt+${chord}` : chord;
      if (pressed.includes(wanted) && (binding.when?.(event) ?? true)) return binding;
    }
  }
  return null;
}

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.key === "Process" || event.defaultPrevented) return;
  if (document.querySelector("dialog[open]")) return;
  const binding = match(event);
  if (!binding) return;
  if (isTyping(event.target) && !(event.ctrlKey || event.metaKey || event.altKey) && !binding.inFields) return;
  // A button or link that has the focus keeps its own Enter and Space.
  const holds = event.target instanceof HTMLElement && event.target.closest("button, a[href], summary, [role=button]");
  if (holds && (event.key === "Enter" || event.key === " ") && !event.ctrlKey && !event.altKey && !binding.overButtons) return;
  event.preventDefault();
  if (event.repeat && !binding.repeat) return;
  binding.run(event);
});

/** Keep what was changed, here and on the server; it holds on every machine of this person. */
async function save(changed) {
  const before = own;
  own = changed;
  try {
    await put("/api/me/preferences/", { keys: { single: own.single !== false, own: own.own ?? {} } });
  } catch (error) {
    own = before;
    toast(`The keys could not be kept. ${error.message}`, { kind: "bad" });
  }
  document.dispatchEvent(new CustomEvent("concord:keys"));
}

/** Open the sheet of all keys of this screen. */
function openSheet() {
  const body = el("div", { class: "key-groups" });
  const single = el("input", { type: "checkbox", id: "single-keys", checked: hasSingleKeys(), on: {
    change: async () => { await save({ ...own, single: single.checked }); draw(); },
  } });
  const dialog = el("dialog", { class: "ask sheet", "aria-labelledby": "sheet-title" },
    el("h2", { id: "sheet-title", text: "Keys on this screen" }),
    el("p", { class: "field checkbox" }, single, el("label", { for: "single-keys", text: "Single keys act at once. Without the tick they need Alt as well." })),
    el("p", { class: "problem", role: "alert" }),
    body,
    el("div", { class: "buttons" },
      el("button", { type: "button", class: "primary", on: { click: () => dialog.close() } }, "Close"),
      el("button", { type: "button", class: "quiet", on: { click: async () => { await save({}); draw(); } } }, "Set all back")));
  const draw = () => { single.checked = hasSingleKeys(); replace(body, groups(draw)); };
  draw();
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

function groups(draw) {
  const names = [...new Set([...bindings.values()].map((one) => one.group))];
  return names.map((group) => el("table", {},
    el("caption", { text: group }),
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "What it does"), el("th", { scope: "col" }, "Keys"), el("th", { scope: "col" }, el("span", { class: "visually-hidden" }, "Change")))),
    el("tbody", {}, [...bindings.values()].filter((one) => one.group === group).map((one) => line(one, draw)))));
}

function line(binding, draw) {
  const shown = keysOf(binding.id).flatMap((chord, at) => [at ? " or " : "", el("kbd", { text: readable(chord) })]);
  const button = el("button", { type: "button", class: "quiet small", "aria-label": `Change the key for: ${binding.label}`, dataset: { binding: binding.id } }, "Change");
  button.addEventListener("click", () => capture(binding, button, draw));
  return el("tr", {}, el("td", { text: binding.label }), el("td", {}, shown), el("td", {}, button));
}

function capture(binding, button, draw) {
  button.textContent = "Press a key…";
  say("Press the new key; Escape leaves it as it is.");
  const end = (problem = "") => {
    draw();
    document.querySelector("dialog.sheet .problem").textContent = problem;
    document.querySelector(`dialog.sheet [data-binding="${CSS.escape(binding.id)}"]`)?.focus();
  };
  button.addEventListener("keydown", async (event) => {
    if (["Control", "Shift", "Alt", "Meta"].includes(event.key)) { capture(binding, button, draw); return; }
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Escape") { end(); return; }
    const [chord] = chords(event);
    const problem = refuse(chord, binding);
    if (!problem) await save({ ...own, own: { ...own.own, [binding.id]: [chord] } });
    end(problem);
  }, { once: true });
}

/** Why `chord` can't stand for `binding`, as a sentence; "" where it can. */
export function refuse(chord, binding) {
  if (RESERVED.has(chord)) return `${readable(chord)} belongs to the browser: choose another key.`;
  const other = [...bindings.values()].find((one) => one.id !== binding.id && keysOf(one.id).includes(chord));
  return other ? `${readable(chord)} is the key for "${other.label}": change that one first.` : "";
}

register([{ id: "sheet", keys: ["?"], label: "Show and change the keys", group: "Everywhere", run: openSheet }]);
document.getElementById("keys-button")?.addEventListener("click", openSheet);
