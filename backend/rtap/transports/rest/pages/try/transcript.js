// What was understood: the sentence that grows, and those that are complete, the newest first.

const MOST_SHOWN = 100;
const TIME = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

export class Transcript {
  #partial;
  #finals;
  #welcome;

  /**
   * @param {HTMLElement} partial
   * @param {HTMLElement} finals
   * @param {HTMLElement} welcome shown until there is something
   */
  constructor(partial, finals, welcome) {
    this.#partial = partial;
    this.#finals = finals;
    this.#welcome = welcome;
  }

  /** @param {string} text so far; empty if nobody speaks */
  set partial(text) {
    this.#partial.textContent = text;
    this.#partial.hidden = !text;
    this.#finals.classList.toggle("waiting", Boolean(text));
    this.#welcome.hidden ||= Boolean(text);
  }

  /** @param {import("./conversation.js").Final} final */
  add(final) {
    this.partial = "";
    this.#welcome.hidden = true;
    this.#finals.prepend(entry(final));
    while (this.#finals.children.length > MOST_SHOWN) this.#finals.lastElementChild.remove();
  }
}

function entry({ text, language, latency, seen }) {
  const item = document.createElement("li");
  const said = element("p", "said", text || "Nothing was understood");
  said.classList.toggle("nothing", !text);
  const now = new Date();
  const time = element("time", "", TIME.format(now));
  time.dateTime = now.toISOString();
  const figures = element("p", "figures", "");
  if (language) figures.append(element("span", "code", language.toUpperCase()));
  figures.append(
    element("span", "latency", seconds(latency)),
    element("span", "here", `after the last word, ${seconds(seen)} as seen here`),
  );
  item.append(said, time, figures);
  return item;
}

function seconds(count) {
  return `${count.toFixed(2)} s`;
}

/** Server text only ever becomes text. */
function element(name, className, text) {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}
