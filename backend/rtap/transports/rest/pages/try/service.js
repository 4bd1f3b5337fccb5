// What the page asks the service for, and what it makes of the answers.

const KEY = "rtap.api_key";
const PATIENCE_MS = 10_000;

/** @returns {string} the API key, empty if there is none */
export function storedKey() {
  return sessionStorage.getItem(KEY) ?? "";
}

/** @param {string} key empty forgets it */
export function storeKey(key) {
  if (key) sessionStorage.setItem(KEY, key);
  else sessionStorage.removeItem(KEY);
}

/**
 * @typedef {object} Info
 * @property {"ready" | "loading" | "locked" | "gone" | "failed"} kind
 * @property {string} [message] what the service says about it
 * @property {string} [model]
 * @property {string[]} [languages]
 * @property {string} [warning] what a user of the model should know; empty where there is nothing
 */

/** @returns {Promise<Info>} how the service is; never fails */
export async function askInfo() {
  let reply;
  let body;
  try {
    reply = await fetch(address("model/info"), {
      headers: keyHeaders(),
      cache: "no-store",
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    body = await reply.json();
  } catch {
    return reply === undefined
      ? { kind: "gone", message: "The service does not answer: see that it runs, then try again." }
      : { kind: "failed", message: `The service answered with status ${reply.status}: try again.` };
  }
  if (reply.ok) {
    const { model_name: model, languages, warning = "" } = body;
    return { kind: "ready", model, languages, warning };
  }
  const message = body.error?.message ?? `The service answered with status ${reply.status}.`;
  const kinds = { 401: "locked", 503: "loading" };
  return { kind: kinds[reply.status] ?? "failed", message };
}

function keyHeaders() {
  const key = storedKey();
  if (!key) return {};
  // A header holds bytes; the service takes UTF-8.
  return { "X-API-Key": String.fromCharCode(...new TextEncoder().encode(key)) };
}

/**
 * @param {string} language
 * @param {number} sampleRate in Hz
 * @returns {URL} of the WebSocket
 */
export function streamAddress(language, sampleRate) {
  const url = address("stream");
  url.protocol = url.protocol.replace("http", "ws");
  url.searchParams.set("language", language);
  url.searchParams.set("sample_rate", String(sampleRate));
  // Browsers set no headers on WebSockets.
  if (storedKey()) url.searchParams.set("api_key", storedKey());
  return url;
}

/** Beside this page, whatever a proxy put before it. */
function address(path) {
  return new URL(path, document.baseURI);
}

/**
 * Why a WebSocket was closed that was open.
 * @param {CloseEvent} event
 */
export function closedInWords({ code, reason }) {
  if (reason) return `The service closed the connection: ${reason}`;
  if (code === 1001 || code === 1012) return "The service ended or starts anew: try again in a few seconds.";
  return "The connection to the service is lost: see that it runs, then try again.";
}

/**
 * Why something did not work that the service is needed for: browsers do not tell.
 * @param {string} otherwise what to say if the service is well
 * @returns {Promise<{message: string, isLocked: boolean}>}
 */
export async function whyRefused(otherwise) {
  const { kind, message } = await askInfo();
  return { message: kind === "ready" ? otherwise : message, isLocked: kind === "locked" };
}
