// Asks the admin API with the session's cookie, which no script can read. The word that must come
// with whatever changes something is kept in memory alone.

const TOUCH_EVERY_MS = 60_000;

/** What the API refused, in its own words. */
export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail ?? `The gateway answered ${status}.`);
    this.status = status;
    this.code = problem.code ?? "";
    this.field = problem.field ?? "";
    this.findings = problem.findings ?? [];
    this.problem = problem;
  }
}

/** Who is logged in, or null. */
export let session = null;

let ended = () => {};
/** Calls it when the session is over. */
export function onEnd(listener) {
  ended = listener;
}

export function may(...roles) {
  return session !== null && roles.some((role) => session.roles.includes(role));
}

/** The session that the browser still has. */
export async function resume() {
  try {
    session = await call("GET", "/admin/v1/session", undefined, { quiet: true });
  } catch (error) {
    if (!(error instanceof Refused) || error.status !== 401) throw error;
    session = null;
  }
  return session;
}

export async function login(key) {
  await call("POST", "/admin/v1/session", { key }, { quiet: true });
  // Whether the browser kept the cookie is known once it is asked for.
  return resume();
}

export async function logout() {
  await call("DELETE", "/admin/v1/session", undefined, { quiet: true });
  session = null;
}

let touched = Date.now();
let acted = 0;
/** Somebody is here: the session goes on. What the page asks by itself keeps no session alive. */
function here() {
  acted = Date.now();
  if (session === null || acted - touched < TOUCH_EVERY_MS) return;
  touched = acted;
  resume().then((still) => still ?? over(), () => {});
}
for (const kind of ["keydown", "pointerdown"]) addEventListener(kind, here, { passive: true });

function over() {
  const was = session !== null;
  session = null;
  if (was) ended();
}

/** Asks, and gives the answer's JSON. */
export async function call(method, path, body, { signal, quiet = false, type } = {}) {
  const headers = {};
  if (method !== "GET" && session !== null) headers["X-CSRF-Token"] = session.csrfToken;
  if (body !== undefined) headers["Content-Type"] = type ?? "application/json";
  const response = await fetch(path, {
    method,
    headers,
    body: body === undefined || type !== undefined ? body : JSON.stringify(body),
    credentials: "same-origin",
    cache: "no-store",
    signal,
  });
  return read(response.status, await response.text(), quiet);
}

function read(status, text, quiet) {
  let answer = {};
  try {
    answer = text === "" ? {} : JSON.parse(text);
  } catch {
    answer = { detail: `The gateway, or what stands before it, answered ${status} and no JSON.` };
  }
  if (status >= 200 && status < 300) return answer;
  if (status === 401 && !quiet) over();
  throw new Refused(status, answer);
}

/** Sends a file and tells how far it is, from 0 to 1: `fetch` does not tell. */
export function upload(path, file, type, { signal, progress }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", path);
    request.setRequestHeader("Content-Type", type);
    request.setRequestHeader("X-CSRF-Token", session?.csrfToken ?? "");
    request.upload.onprogress = (event) => progress(event.lengthComputable ? event.loaded / event.total : null);
    request.onload = () => {
      try {
        resolve(read(request.status, request.responseText, false));
      } catch (error) {
        reject(error);
      }
    };
    request.onerror = () => reject(new TypeError("The gateway cannot be reached."));
    request.onabort = () => reject(new DOMException("Stopped", "AbortError"));
    signal?.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}

/** A name as a part of a path. */
export const part = encodeURIComponent;
