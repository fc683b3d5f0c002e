/**
 * How releases of the study will be published: licence, creators, citation, address, keywords.
 * Decides the layout and that each field is saved by itself; the fields come from the server.
 */

import { boot, el } from "../dom.js";
import { complain, field } from "./fields.js";
import { later } from "./saving.js";

export function draw(body, page) {
  const saves = boot().publication.map((one) => {
    const input = el(one.is_long ? "textarea" : "input", { id: `publication-${one.key}`, maxlength: one.longest, value: page.state.publication[one.key] ?? "" });
    if (one.is_long) input.rows = 3;
    const save = later(async () => {
      try {
        await page.save("publication", { [one.key]: input.value });
        complain(input, "");
      } catch (error) {
        complain(input, error.message);
      }
    });
    input.addEventListener("input", save);
    return { one, input, save };
  });
  const licences = el("datalist", { id: "licences" }, ...boot().licences.map((id) => el("option", { value: id })));
  saves.find(({ one }) => one.key === "licence").input.setAttribute("list", licences.id);
  body.append(
    el("p", { text: "What every release says of itself, in its datasheet and in the files that catalogues and citation tools read. A consistency pass pins it: what is changed here goes into releases of later passes." }),
    licences,
    ...saves.map(({ one, input }) => field(one.label, input, { hint: one.hint, wide: true })));
  return () => Promise.all(saves.map(({ save }) => save.flush()));
}
