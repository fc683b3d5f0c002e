/**
 * The checklist: questions that a data set is asked, with room for the answers. They are printed in each release.
 * Decides the layout; the questions come from the server.
 */

import { boot, el } from "../dom.js";
import { complain } from "./fields.js";
import { later } from "./saving.js";

export function draw(body, page) {
  const waiting = new Map();
  const save = later(async () => {
    const sent = new Map(waiting);
    waiting.clear();
    const answers = Object.fromEntries([...sent].map(([key, input]) => [key, input.value]));
    try {
      await page.save("checklist", { answers });
      sent.forEach((input) => { complain(input, ""); mark(input); });
    } catch (error) {
      sent.forEach((input, key) => { complain(input, error.message); if (!waiting.has(key)) waiting.set(key, input); });
    }
  });
  body.append(el("p", {}, "What readers of the data set will ask. The answers are kept with the study and printed in the datasheet of every release. ",
    el("strong", { text: "Needed" }), " ones stand before the launch; the others may wait."));
  for (const section of boot().checklist) {
    body.append(el("h3", { text: section.title }), ...section.questions.map((one) => question(one)));
  }
  body.append(el("p", { class: "hint", text: "After Homeyer et al. (Modern Pathology 2022) on test data sets, Montezuma et al. (Modern Pathology 2023) on annotation practice, and Gebru et al. (CACM 2021) on datasheets." }));

  function question(one) {
    const input = el("textarea", { id: `check-${one.key}`, rows: 2, maxlength: 4000, value: page.state.checklist[one.key] ?? "", "aria-describedby": `check-${one.key}-hint` });
    input.dataset.needed = one.needed;
    input.addEventListener("input", () => { waiting.set(one.key, input); save(); });
    const row = el("div", { class: "field question" },
      el("label", { for: input.id }, one.asks, one.needed && el("span", { class: "badge" }, "needed")),
      el("p", { class: "hint", id: `check-${one.key}-hint`, text: one.hint }), input);
    mark(input);
    return row;
  }

  return () => save.flush();
}

function mark(input) {
  input.classList.toggle("lacking", input.dataset.needed === "true" && !input.value.trim());
}
