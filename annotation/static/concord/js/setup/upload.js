/**
 * Sends slide files one after the other, each as it is, with a bar that moves.
 * Decides order and what is said of each file; whether a file is a slide is decided on the server.
 */

import { ApiError, cookie, post, signInAgain, url } from "../api.js";
import { el, say } from "../dom.js";

/** Add `jobs` ({name, send(onProgress)}) to the list in `place`; `onDone(added)` is called after the last one. */
export async function addAll(place, jobs, onDone) {
  const rows = jobs.map((job) => [job, row(job.name)]);
  place.append(...rows.map(([, parts]) => parts.node));
  let added = 0;
  for (const [job, parts] of rows) {
    parts.word.textContent = "sending";
    try {
      await job.send((share) => show(parts, share));
      added += 1;
      parts.node.remove();
    } catch (error) {
      parts.node.classList.add("refused");
      parts.bar.remove();
      parts.word.textContent = error.message;
    }
  }
  const refused = rows.length - added;
  say(`${added} of ${rows.length} slides added.${refused ? ` ${refused} were refused; the list says why.` : ""}`, { assertive: refused > 0 });
  await onDone(added);
}

/** A file of the browser as a job. */
export const fromFile = (file) => ({ name: file.name, send: (onProgress) => sendFile(file, onProgress) });

/** A file in a folder on the server as a job. */
export const fromFolder = (folder, { path, case: caseName, domain }) => ({
  name: path, send: () => post("setup/folder/", { folder, path, case: caseName, domain }),
});

function row(name) {
  const bar = el("progress", { max: 1, value: 0, "aria-label": `Sending ${name}` });
  const word = el("span", { class: "word", text: "waiting" });
  const node = el("li", {}, el("span", { class: "name", text: name }), bar, word,
    el("button", { type: "button", class: "small quiet close", "aria-label": `Take ${name} off this list`, on: { click: () => node.remove() } }, "×"));
  return { node, bar, word };
}

function show(parts, share) {
  parts.bar.value = share;
  parts.word.textContent = share < 1 ? `${Math.floor(share * 100)} %` : "being checked";
}

async function sendFile(file, onProgress) {
  for (;;) {
    const { status, answer } = await sendOnce(file, onProgress);
    if (status < 400 && status > 0) return answer;
    if (status !== 401) throw new ApiError(status, answer?.error ?? { message: status ? `The server answered with ${status}. Try again.` : "The connection broke. Add the file again." });
    await signInAgain();
  }
}

/** By XMLHttpRequest: fetch does not tell how much has been sent. */
function sendOnce(file, onProgress) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("POST", `${url("setup/slides/")}?name=${encodeURIComponent(file.name)}`);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRFToken", cookie("csrftoken"));
    request.upload.addEventListener("progress", (event) => onProgress(event.total ? event.loaded / event.total : 1));
    request.addEventListener("load", () => resolve({ status: request.status, answer: parse(request.responseText) }));
    request.addEventListener("error", () => resolve({ status: 0, answer: null }));
    request.send(file);
  });
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
