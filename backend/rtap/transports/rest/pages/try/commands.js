// What is typed instead of spoken, taking back, and whether commands are to be done.

import { sendCommand } from "./service.js";

/**
 * @typedef {object} Command the body of `POST /intent`
 * @property {string} text
 * @property {string | null} language
 * @property {boolean} execute
 * @property {string} utterance_id what is sent again with the same one is not done again
 * @property {string} conversation
 *
 * @typedef {"understand" | "execute"} Wish
 */

/** What takes the last command back, by the language of its sentences. */
const UNDO = { en: "undo", de: "rückgängig" };

export class Commands {
  /** Of the dialogue of this page: what is said may continue what was typed, and answer it. */
  name = randomName();
  /** @type {(text: string, wish: Wish) => void} */
  onCommand = () => {};
  onUndo = () => {};
  #parts;
  #isChosen = false;
  #isSending = false;
  #mayType = false;

  /**
   * @param {{form: HTMLFormElement, text: HTMLInputElement, send: HTMLButtonElement, undo: HTMLButtonElement,
   *   wish: HTMLFieldSetElement}} parts
   */
  constructor(parts) {
    this.#parts = parts;
    parts.form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = parts.text.value.trim();
      if (text && this.#mayType && !this.#isSending) this.onCommand(text, this.wish);
    });
    parts.undo.addEventListener("click", () => this.onUndo());
    parts.wish.addEventListener("change", () => {
      this.#isChosen = true;
    });
  }

  /** @returns {Wish} */
  get wish() {
    return this.#parts.wish.querySelector("input:checked").value;
  }

  /**
   * Until somebody chooses, commands are done in a car in memory, and only understood where it may be a real one.
   * @param {string} adapter the way to the car
   */
  preferFor(adapter) {
    if (this.#isChosen || this.#parts.wish.disabled) return;
    const wanted = adapter === "simulated" ? "execute" : "understand";
    for (const one of this.#parts.wish.querySelectorAll("input")) one.checked = one.value === wanted;
  }

  /** @param {{typing: boolean, choosing: boolean}} allowed what the page's state allows */
  allow({ typing, choosing }) {
    this.#mayType = typing;
    this.#parts.wish.disabled = !choosing;
    this.#enable();
  }

  /** @param {string} text to be looked at, changed and sent */
  suggest(text) {
    this.#parts.text.value = text;
    this.#parts.text.focus();
  }

  /**
   * @param {string} language `auto` is the service's own
   * @returns {Command}
   */
  make(text, language, wish) {
    return {
      text,
      language: language === "auto" ? null : language,
      execute: wish === "execute",
      utterance_id: randomName(),
      conversation: this.name,
    };
  }

  /** @returns {Command} */
  undoing(language) {
    const known = language in UNDO ? language : "en";
    return this.make(UNDO[known], known, "execute");
  }

  /**
   * @param {Command} command
   * @returns {Promise<import("./service.js").Reply>} never fails
   */
  async send(command) {
    this.#isSending = true;
    this.#enable();
    const reply = await sendCommand(command);
    this.#isSending = false;
    this.#enable();
    if (reply.kind === "ready" && this.#parts.text.value.trim() === command.text) this.#parts.text.value = "";
    return reply;
  }

  #enable() {
    const { text, send, undo } = this.#parts;
    text.disabled = !this.#mayType; // it keeps the focus while something is sent
    for (const button of [send, undo]) button.disabled = !this.#mayType || this.#isSending;
  }
}

/** Also on pages that browsers do not trust, which have no `crypto.randomUUID`. */
function randomName() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
