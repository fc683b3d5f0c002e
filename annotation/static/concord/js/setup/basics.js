/** The study's name and short name. Decides nothing: the server says whether a name holds. */

import { el } from "../dom.js";
import { complain, field, freeze } from "./fields.js";
import { later } from "./saving.js";

export function draw(body, page) {
  const { state } = page;
  const name = el("input", { id: "study-name", value: state.name, maxlength: 200, required: true, autocomplete: "off" });
  const slug = el("input", { id: "study-slug", value: state.slug, readonly: true });
  const save = later(async () => {
    try {
      await page.save("name", { name: name.value });
      complain(name, "");
    } catch (error) {
      complain(name, error.message);
    }
  });
  name.addEventListener("input", save);
  body.append(
    field("Name", name, { hint: "What people call the study. It stands on every screen, in exports and in releases." }),
    field("Short name", slug, { hint: "Addresses and exports carry it; it does not change." }));
  if (page.stepOf("basics").fixed) freeze(body);
  return () => save.flush();
}
