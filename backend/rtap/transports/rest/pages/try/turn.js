// One turn: what was said, its intent, what came of it in the car, and what is answered.

import { element } from "./elements.js";
import { valueInWords } from "./signals.js";

/** A sign beside the word, for those who skim. */
const OUTCOMES = {
  done: ["✓", "Done"],
  refused: ["✕", "Refused"],
  timed_out: ["…", "No answer in time"],
};
const QUESTIONS = {
  which: "Asks which one is meant",
  sure: "Asks whether it was heard rightly",
  meant: "Asks whether something near was meant",
};

export class Turn {
  element = element("li", "");
  #steps = element("dl", "steps");
  #onSuggestion;

  /**
   * @param {string} text that was said
   * @param {HTMLElement[]} figures
   * @param {(text: string) => void} onSuggestion gets the sentence that somebody chose instead
   */
  constructor(text, figures, onSuggestion) {
    this.#onSuggestion = onSuggestion;
    const said = element("p", "said", text || "Nothing was understood");
    said.classList.toggle("nothing", !text);
    const now = new Date();
    const time = element("time", "", TIME.format(now));
    time.dateTime = now.toISOString();
    this.element.append(said, time, element("p", "figures", ...figures), this.#steps);
  }

  /** @param {object} message `intent`, `action` or `answer`, as `/stream` sends them */
  show(message) {
    if (message.type === "intent") this.#showIntent(message);
    else if (message.type === "action") this.#showAction(message);
    else this.#step("answer", "Answer", element("q", "", message.text));
  }

  #showIntent({ intent, alternatives, did_you_mean: nearest, question }) {
    const content = intent ? described(intent) : [element("span", "nothing", "No command that is known")];
    if (alternatives.length && !intent) {
      const options = alternatives.map((one) => element("li", "", ...described(one)));
      content.push(element("ul", "options", ...options));
    }
    if (nearest) content.push(this.#suggestion(nearest));
    if (intent) content.push(element("span", "sure", certainty(intent)));
    this.#step("intent", "Intent", ...content);
    if (question) this.#step("action asked", "Action", ...signed("?", QUESTIONS[question] ?? "Asks back"));
  }

  #showAction({ outcome, held, reason }) {
    const [sign, word] = OUTCOMES[outcome] ?? ["", outcome];
    const content = signed(sign, reason ? `${word}: ${reason.text}` : word);
    const set = held.map(({ path, value, unit }) =>
      element("li", "", element("code", "", path), " ", element("b", "", valueInWords(value, unit))),
    );
    if (set.length) content.push(element("ul", "held", ...set));
    this.#step(`action ${outcome}`, "Action", ...content);
  }

  #suggestion(text) {
    const button = element("button", "suggestion", text);
    button.type = "button";
    button.addEventListener("click", () => this.#onSuggestion(text));
    return element("span", "nearest", "The nearest is ", button);
  }

  #step(className, name, ...content) {
    this.#steps.append(element("div", className, element("dt", "", name), element("dd", "", ...content)));
  }
}

const TIME = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

function signed(sign, text) {
  const made = element("span", "sign", sign);
  made.setAttribute("aria-hidden", "true");
  return [made, element("span", "outcome", text)];
}

/** @returns {HTMLElement[]} the name and the slots of an intent */
function described({ name, slots }) {
  const particulars = slots.map(({ name: slot, value, unit }) =>
    element("span", "slot", `${slot} `, element("b", "", valueInWords(value, unit))),
  );
  return [element("b", "name", name), ...particulars];
}

function certainty({ confidence, matching }) {
  const heard = confidence < 1 ? `heard ${percent(confidence)}, ` : ""; // what is typed needs no hearing
  return `${heard}matched ${percent(matching)}`;
}

function percent(share) {
  return `${Math.round(100 * share)} %`;
}
