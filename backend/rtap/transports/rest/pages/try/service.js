// What the page asks the service for, and what it makes of the answers.

const KEY = "rtap.api_key";
const PATIENCE_MS = 10_000;
/** For what waits until the sentences of the commands are loaded. */
const LOADING_PATIENCE_MS = 30_000;

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
 * @typedef {object} Reply
 * @property {"ready" | "loading" | "locked" | "gone" | "failed"} kind
 * @property {string} [message] why it is not ready, as the service says it
 * @property {any} [body] what the service answered
 */

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
  const { kind, message, body } = await ask("model/info", PATIENCE_MS);
  if (kind !== "ready") return { kind, message };
  const { model_name: model, languages, warning = "" } = body;
  return { kind, model, languages, warning };
}

/** @returns {Promise<Reply>} the car's signals, as `GET /vehicle` has them; never fails */
export function askVehicle() {
  return ask("vehicle", LOADING_PATIENCE_MS);
}

/**
 * @param {object} command the body of `POST /intent`
 * @returns {Promise<Reply>} what became of it; never fails
 */
export function sendCommand(command) {
  const headers = { "Content-Type": "application/json" };
  return ask("intent", LOADING_PATIENCE_MS, { method: "POST", headers, body: JSON.stringify(command) });
}

/** @returns {Promise<Reply>} never fails */
async function ask(path, patience, { headers, ...request } = {}) {
  let reply;
  let body;
  try {
    reply = await fetch(address(path), {
      ...request,
      headers: { ...headers, ...keyHeaders() },
      cache: "no-store",
      signal: AbortSignal.timeout(patience),
    });
    body = await reply.json();
  } catch {
    return reply === undefined
      ? { kind: "gone", message: "The service does not answer: see that it runs, then try again." }
      : { kind: "failed", message: `The service answered with status ${reply.status}: try again.` };
  }
  if (reply.ok) return { kind: "ready", body };
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
 * @param {number} sampleRate in Hz
 * @param {import("./conversation.js").Settings} settings
 * @returns {URL} of the WebSocket
 */
export function streamAddress(sampleRate, { language, wish, name }) {
  const url = address("stream");
  url.protocol = url.protocol.replace("http", "ws");
  url.searchParams.set("language", language);
  url.searchParams.set("sample_rate", String(sampleRate));
  url.searchParams.set("intents", wish);
  url.searchParams.set("conversation", name);
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
