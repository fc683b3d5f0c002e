/**
 * The page of the rules: severity and thresholds of each, saved as they are changed.
 * Decides how a setting is shown and sent; what it may be is the server's.
 */

import { put } from "../api.js";
import { boot, count, el, find, number, replace, say } from "../dom.js";
import { complain, field, keepFocus } from "../setup/fields.js";

const SEVERITIES = [["blocker", "Blocker: stands before a release"], ["warning", "Warning: told in the datasheet"], ["off", "Off: the rule is not run"]];
const opened = new Set();

/** Send what `input` says now; "" takes it back to what is usual. */
async function save(rule, input, said) {
  try {
    const rules = await put("rules/", { values: { [rule.code]: said } });
    keepFocus(() => draw(rules));
    say(`Saved: ${rule.title}.`);
  } catch (error) {
    complain(input, error.message);
  }
}

function severity(rule) {
  const input = el("select", { id: `${rule.code}-severity`, disabled: !rule.may_change },
    SEVERITIES.map(([value, text]) => el("option", { value, selected: value === (rule.severity || rule.usual) }, text)));
  input.addEventListener("change", () => save(rule, input, { severity: input.value === rule.usual ? null : input.value }));
  const usual = rule.may_change ? `Usual: ${rule.usual}.` : "This rule can be neither switched off nor lowered.";
  return field("Severity", input, { hint: usual });
}

/** An input for one number; `send(value)` gets null where it is as usual. */
function box(id, value, one, send) {
  const input = el("input", { id, type: "number", min: one.low, max: one.high, step: "any", value });
  input.addEventListener("change", () => send(input, input.value === "" ? null : Number(input.value)));
  return input;
}

function threshold(rule, one) {
  const id = `${rule.code}-${one.name}`;
  const whole = box(id, one.value, one, (input, value) => save(rule, input, { [one.name]: value === one.usual ? null : value }));
  const hint = `From ${number(one.low, 3)} to ${number(one.high, 3)}; usual: ${number(one.usual, 3)}.`;
  if (!one.is_by_class) return field(one.says, whole, { hint });
  const others = one.by_class;
  const rows = boot().classes.map((cls) => field(cls.name, box(`${id}-${cls.code}`, others[cls.code] ?? "", one, (input, value) => {
    const { [cls.code]: _, ...rest } = others;
    const said = value === null ? rest : { ...rest, [cls.code]: value };
    save(rule, input, { [one.name]: Object.keys(said).length ? said : null });
  })));
  const set = Object.keys(others).length;
  const told = set ? `Set for ${count(set, "class", "classes")}.` : one.value === one.usual ? "Not set." : `Set to ${number(one.value, 3)}.`;
  const list = el("details", { open: opened.has(id) },
    el("summary", { text: `${one.says} ${told}` }),
    el("p", { class: "hint", text: `${hint} One number for all classes alike, or a number for each; what is left empty is as usual.` }),
    el("div", { class: "policy-more" }, field("All classes alike", whole), rows));
  list.addEventListener("toggle", () => (list.open ? opened.add(id) : opened.delete(id)));
  return list;
}

function last(rule) {
  if (rule.found === null) return el("span", { class: "hint", text: "Not run yet." });
  if (!rule.found) return el("span", { class: "badge good", text: "nothing found last time" });
  return el("span", { class: `badge ${rule.open ? "warn" : "info"}`, text: `${count(rule.found, "finding")} last time, ${number(rule.open)} open` });
}

function panel(rule) {
  return el("section", { class: "panel rule", "aria-labelledby": `rule-${rule.code}`, dataset: { rule: rule.code } },
    el("div", { class: "title-row" }, el("h2", { id: `rule-${rule.code}`, text: rule.title }), last(rule)),
    el("p", { class: "meaning" }, rule.meaning, " ", el("span", { class: "hint", text: rule.stakes })),
    el("div", { class: "policy-more" }, severity(rule), rule.thresholds.filter((one) => !one.is_by_class).map((one) => threshold(rule, one))),
    rule.thresholds.filter((one) => one.is_by_class).map((one) => threshold(rule, one)));
}

function draw(rules) {
  replace(find("#rules"), rules.map(panel));
}

draw(boot().rules);
