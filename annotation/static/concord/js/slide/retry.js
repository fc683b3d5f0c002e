/**
 * Buttons that have a failed job tried again.
 * Decides nothing: the server does, and the page is shown anew.
 */

import { post } from "../api.js";
import { findAll, toast } from "../dom.js";

/** Make every `button.retry[data-job]` of the page work. */
export function offerRetry() {
  for (const button of findAll("button.retry")) {
    button.addEventListener("click", async () => {
      button.disabled = true;
      try {
        await post(`jobs/${button.dataset.job}/retry/`);
        location.reload();
      } catch (error) {
        button.disabled = false;
        toast(`It could not be started again. ${error.message}`, { kind: "bad" });
      }
    });
  }
}
