/** Requests to our own server: JSON in, JSON or a fragment out, problems (RFC 9457) as `Problem`. */

/** A refusal by the server, or no answer at all (`status` 0). */
export class Problem extends Error {
  /**
   * @param {number} status HTTP status, 0 when nothing was reached
   * @param {object} body the problem document; `code` is stable, `detail` is for people
   */
  constructor(status, body = {}) {
    super(body.detail || body.title || String(status));
    this.status = status;
    this.code = body.code || "";
    this.body = body;
  }

  /** @returns {boolean} true when the session is over, or the page's token belongs to an older one */
  get signedOut() {
    return this.status === 401 || (this.status === 403 && !this.code);
  }

  /** @returns {boolean} true when the same request may succeed later */
  get passing() {
    return this.status === 0 || this.status === 408 || this.status === 425 || this.status === 429 || this.status >= 500;
  }
}

/** @returns {string} the CSRF token: the cookie where script may read it, otherwise the page's meta element */
export function csrfToken() {
  const cookie = document.cookie.split("; ").find((part) => /^(__Host-)?csrftoken=/.test(part));
  if (cookie) return decodeURIComponent(cookie.slice(cookie.indexOf("=") + 1));
  return document.querySelector('meta[name="csrf-token"]')?.content || "";
}

async function problemOf(response) {
  const isJson = (response.headers.get("Content-Type") || "").includes("json");
  const body = isJson ? await response.json().catch(() => ({})) : {};
  if (body.code === "locked") document.dispatchEvent(new CustomEvent("second-look:locked"));
  return new Problem(response.status, body);
}

/**
 * POST JSON to our own server.
 * @param {string} url
 * @param {object} body
 * @param {{keepalive?: boolean, timeoutMs?: number}} options `keepalive` lets the request outlive the page
 * @returns {Promise<Response>} an answer below 400
 * @throws {Problem}
 */
export async function post(url, body, { keepalive = false, timeoutMs = 20000 } = {}) {
  const response = await fetch(url, {
    method: "POST",
    credentials: "same-origin",
    keepalive,
    redirect: "error",
    signal: keepalive ? undefined : AbortSignal.timeout(timeoutMs),
    headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken(), "X-Requested-With": "fetch" },
    body: JSON.stringify(body),
  }).catch(() => {
    throw new Problem(0);
  });
  if (!response.ok) throw await problemOf(response);
  return response;
}

/**
 * GET a fragment of HTML.
 * @param {string} url
 * @returns {Promise<string>}
 * @throws {Problem}
 */
export async function getFragment(url) {
  const response = await fetch(url, {
    credentials: "same-origin",
    redirect: "error",
    headers: { "HX-Request": "true", "X-Requested-With": "fetch" },
  }).catch(() => {
    throw new Problem(0);
  });
  if (!response.ok) throw await problemOf(response);
  return response.text();
}

/**
 * GET JSON.
 * @param {string} url
 * @returns {Promise<object>}
 * @throws {Problem}
 */
export async function getJson(url) {
  const response = await fetch(url, { credentials: "same-origin", redirect: "error", headers: { Accept: "application/json", "X-Requested-With": "fetch" } }).catch(() => {
    throw new Problem(0);
  });
  if (!response.ok) throw await problemOf(response);
  return response.json();
}

/**
 * Turn HTML of our own server into elements.
 * @param {string} html
 * @returns {DocumentFragment}
 */
export function parseFragment(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content;
}
