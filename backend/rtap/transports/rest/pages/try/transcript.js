// What was said and what came of it: the sentence that grows, and the turns that are complete, the newest first.

import { element } from "./elements.js";
import { Turn } from "./turn.js";

const MOST_SHOWN = 100;

export class Transcript {
  #partial;
  #finals;
  #welcome;
  #onSuggestion;
  /** @type {Map<string, Turn>} by utterance, the oldest first */
  #turns = new Map();

  /**
   * @param {{partial: HTMLElement, finals: HTMLElement, welcome: HTMLElement}} parts the last is shown until
   *   there is something
   * @param {(text: string) => void} onSuggestion gets the sentence that somebody chose instead of theirs
   */
  constructor({ partial, finals, welcome }, onSuggestion) {
    this.#partial = partial;
    this.#finals = finals;
    this.#welcome = welcome;
    this.#onSuggestion = onSuggestion;
  }

  /** @param {string} text so far; empty if nobody speaks */
  set partial(text) {
    this.#partial.textContent = text;
    this.#partial.hidden = !text;
    this.#finals.classList.toggle("waiting", Boolean(text));
    this.#welcome.hidden ||= Boolean(text);
  }

  /** @param {import("./conversation.js").Final} final */
  add({ utterance, text, language, latency, seen }) {
    this.partial = "";
    const figures = [
      element("span", "latency", seconds(latency)),
      element("span", "here", `after the last word, ${seconds(seen)} as seen here`),
    ];
    this.#add(utterance, text, language, figures);
  }

  /**
   * What was typed, with the reply of `POST /intent`.
   * @param {string} utterance
   * @param {object} reply
   */
  addTyped(utterance, reply) {
    this.#add(utterance, reply.text, reply.language, [element("span", "typed", "typed")]);
    this.step({ ...reply, type: "intent", utterance_id: utterance });
    for (const type of ["action", "answer"]) {
      if (reply[type]) this.step({ ...reply[type], type, utterance_id: utterance });
    }
  }

  /** @param {object} message `intent`, `action` or `answer` of a turn that was added */
  step(message) {
    this.#turns.get(message.utterance_id)?.show(message);
  }

  #add(utterance, text, language, figures) {
    const code = language ? [element("span", "code", language.toUpperCase())] : [];
    const turn = new Turn(text, [...code, ...figures], this.#onSuggestion);
    this.#welcome.hidden = true;
    this.#turns.delete(utterance);
    this.#turns.set(utterance, turn);
    this.#finals.prepend(turn.element);
    for (const [oldest, { element: item }] of this.#turns) {
      if (this.#turns.size <= MOST_SHOWN) break;
      this.#turns.delete(oldest);
      item.remove();
    }
  }
}

function seconds(count) {
  return `${count.toFixed(2)} s`;
}
