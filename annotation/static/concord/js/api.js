/**
 * Talks to the server: JSON in and out, errors as sentences, a lost session mended without losing what was sent.
 * Decides when a request is sent again; refuses to know what it is about. Polling renews no lease.
 */

import { ask, boot } from "./dom.js";

/** What went wrong: `status` (0: the server was not reached), `code` for programs, `message` for people. */
export class ApiError extends Error {
  constructor(status, { code = "error", message = "Something went wrong.", details = {} } = {}) {
    super(message);
    Object.assign(this, { status, code, details });
  }
}

const OFFLINE = { code: "offline", message: "The server can't be reached. Check the connection; nothing that you entered is lost." };

export const get = (path, options) => send("GET", path, undefined, options);
export const post = (path, body = {}, options) => send("POST", path, body, options);
export const put = (path, body = {}, options) => send("PUT", path, body, options);
export const del = (path, body, options) => send("DELETE", path, body, options);

/** The address of something below this study's API; one that begins with "/" is taken as it is. */
export const url = (path) => (path.startsWith("/") ? path : `${boot().api}${path}`);

/**
 * Send and return what was answered (null for an empty answer).
 * `keepalive` outlives the page; `quiet` does not ask for a new sign-in but raises the ApiError with status 401.
 */
export async function send(method, path, body, { quiet = false, keepalive = false, signal } = {}) {
  const response = await once(method, path, body, { keepalive, signal });
  if (response.status === 401 && !quiet) {
    // Read to its end, or the browser keeps the connection for it.
    await response.text();
    await signInAgain();
    return send(method, path, body, { quiet, keepalive, signal });
  }
  return unpack(response);
}

async function once(method, path, body, { keepalive, signal, headers = {} }) {
  const isForm = body instanceof FormData;
  const all = { Accept: "application/json", ...headers };
  // Another person may have signed in in another tab: the server then refuses what this page sends.
  if (boot().person) all["X-Concord-Person"] = boot().person;
  if (method !== "GET") all["X-CSRFToken"] = cookie("csrftoken");
  if (body !== undefined && !isForm) all["Content-Type"] = "application/json";
  try {
    return await fetch(url(path), {
      method, keepalive, signal, headers: all, credentials: "same-origin",
      body: body === undefined || isForm ? body : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, OFFLINE);
  }
}

async function unpack(response) {
  const text = await response.text();
  let answer = null;
  try {
    answer = text ? JSON.parse(text) : null;
  } catch {
    answer = null;
  }
  if (response.ok) return answer;
  throw new ApiError(response.status, answer?.error ?? { message: `The server answered with ${response.status}. Try again; if it stays so, tell whoever runs it.` });
}

/** The value of a cookie; "" where there is none. */
export function cookie(name) {
  const found = document.cookie.split("; ").find((one) => one.startsWith(`${name}=`));
  return found ? decodeURIComponent(found.slice(name.length + 1)) : "";
}

let signingIn = null;

/** Ask the person to sign in again in another tab; resolves when the session holds again. One dialog for all who wait. */
export function signInAgain() {
  signingIn ??= askForSession().finally(() => { signingIn = null; });
  return signingIn;
}

async function askForSession() {
  const next = encodeURIComponent("/admin/");
  const link = document.createElement("a");
  Object.assign(link, { href: `/admin/login/?next=${next}`, target: "_blank", rel: "noopener", textContent: "Sign in in a new tab" });
  const hint = document.createElement("p");
  hint.append("You have been signed out. Nothing that you entered is lost: ", link, ", then come back here and go on.");
  for (;;) {
    await ask({ title: "Sign in again", body: hint, confirm: "I have signed in: go on", cancel: null });
    const response = await once("GET", "/api/me/preferences/", undefined, {});
    await response.text();
    if (response.status !== 401) return;
  }
}

/**
 * Ask `path` each `seconds` while the page is looked at, and call `onData` when the answer has changed.
 * Returns {stop, now}: `now()` asks at once. `onError` gets an ApiError; polling goes on.
 * A page that has the answer already gives its `etag` and may `wait`; `onSame` is told when nothing has changed.
 */
export function poll(path, seconds, onData, onError = () => {}, { etag = "", wait = false, onSame = () => {} } = {}) {
  let timer = 0;
  let stopped = false;
  async function ask() {
    clearTimeout(timer);
    if (!document.hidden) await tell();
    if (!stopped) timer = setTimeout(ask, seconds * 1000);
  }
  async function tell() {
    try {
      const response = await once("GET", typeof path === "function" ? path() : path, undefined, { headers: etag ? { "If-None-Match": etag } : {} });
      if (stopped) return;
      if (response.status === 304) { onSame(); return; }
      const answer = await unpack(response);
      etag = response.headers.get("ETag") ?? "";
      onData(answer);
    } catch (error) {
      onError(error);
    }
  }
  const onVisible = () => { if (!document.hidden) ask(); };
  document.addEventListener("visibilitychange", onVisible);
  if (wait) timer = setTimeout(ask, seconds * 1000);
  else ask();
  return {
    now: () => { etag = ""; return ask(); },
    stop: () => { stopped = true; clearTimeout(timer); document.removeEventListener("visibilitychange", onVisible); },
  };
}
