// One go: a source of sound, and the WebSocket /stream that turns it into text.

import { closedInWords, streamAddress, whyRefused } from "./service.js";
import { SourceError } from "./sources.js";

/**
 * @typedef {"asking" | "connecting" | "loading" | "listening" | "finishing"} Phase
 *
 * @typedef {object} Audience what a conversation tells
 * @property {(phase: Phase) => void} onPhase
 * @property {(samples: Float32Array, sampleRate: number) => void} onSound
 * @property {(text: string) => void} onPartial
 * @property {(final: Final) => void} onFinal
 * @property {(message: object) => void} onStep what became of a final: `intent`, `action` or `answer`
 * @property {(message: string) => void} onNotice something failed, and it goes on
 * @property {(message: string, isLocked: boolean) => void} onOver the last call; with a message it
 *   failed, and locked means that the service wants another key
 *
 * @typedef {object} Settings
 * @property {string} language
 * @property {"understand" | "execute"} wish what is to be done with commands
 * @property {string} name of the dialogue that it belongs to
 *
 * @typedef {object} Final
 * @property {string} utterance by which `onStep` refers to it
 * @property {string} text
 * @property {string | null} language
 * @property {number} latency seconds from the end of speech to the text, by the service
 * @property {number} seen the same, until it was here
 */

const LOADING_RETRY_MS = 2_000;
const FINISH_MS = 30_000;
/** Bytes that may wait here: half a minute at the highest rate. */
const MAX_WAITING = 6e6;

const REFUSED =
  "The service refuses the connection: perhaps there were too many; try again in a minute.";

/** Seconds by the service's clock, which need not agree with ours. */
class ServiceClock {
  #ahead = Infinity;

  /** Learn from a message: the quickest one so far shows best how far the clocks are apart. */
  heard(timestamp) {
    this.#ahead = Math.min(this.#ahead, Date.now() / 1000 - timestamp);
  }

  since(timestamp) {
    return Math.max(0, Date.now() / 1000 - timestamp - this.#ahead);
  }
}

export class Conversation {
  /** @type {import("./sources.js").Source | undefined} */
  #source;
  /** @type {WebSocket | undefined} */
  #socket;
  #clock = new ServiceClock();
  #isReady = false;
  #isOver = false;
  #isFinishing = false;
  #mustWait = false;
  #complaint = "";
  #timer = 0;
  #settings;
  #audience;

  /**
   * @param {Settings} settings
   * @param {Audience} audience
   */
  constructor(settings, audience) {
    this.#settings = settings;
    this.#audience = audience;
  }

  /** @param {() => Promise<import("./sources.js").Source>} open */
  async begin(open) {
    this.#audience.onPhase("asking");
    try {
      const source = await open();
      if (this.#isOver) source.close();
      else this.#source = source;
    } catch (error) {
      if (error instanceof SourceError) this.#end(error.message);
      else await this.#refused(error.message);
    }
    if (!this.#isOver) this.#connect();
  }

  /** No more sound: what was said becomes text. */
  finish() {
    if (!this.#isReady) {
      this.#end("");
    } else if (!this.#isFinishing) {
      this.#isFinishing = true;
      this.#source.close();
      this.#socket.send(JSON.stringify({ type: "end" }));
      this.#audience.onPhase("finishing");
      this.#timer = setTimeout(() => this.#end("The service did not finish: try again."), FINISH_MS);
    }
  }

  /** Leave at once. */
  abandon() {
    this.#end("");
  }

  #connect() {
    this.#audience.onPhase(this.#mustWait ? "loading" : "connecting");
    this.#mustWait = false;
    const socket = new WebSocket(streamAddress(this.#source.sampleRate, this.#settings));
    socket.onmessage = ({ data }) => this.#receive(JSON.parse(data));
    socket.onclose = (event) => this.#closed(event);
    this.#socket = socket;
  }

  #receive(message) {
    if (this.#isOver) return;
    this.#clock.heard(message.timestamp);
    switch (message.type) {
      case "ready":
        this.#ready();
        break;
      case "partial":
        this.#audience.onPartial(message.text);
        break;
      case "final":
        this.#audience.onFinal({
          utterance: message.utterance_id,
          text: message.text,
          language: message.language,
          latency: message.latency,
          seen: this.#clock.since(message.timestamp - message.latency),
        });
        break;
      case "intent":
      case "action":
      case "answer":
        this.#audience.onStep(message);
        break;
      case "error":
        this.#complained(message);
        break;
      case "end":
        this.#end("");
        break;
      default: // of a later version
    }
  }

  #ready() {
    this.#isReady = true;
    this.#audience.onPhase("listening");
    this.#source.start(
      (samples) => this.#send(samples),
      (why) => {
        if (why) this.#audience.onNotice(why);
        this.finish();
      },
    );
  }

  #send(samples) {
    if (this.#isFinishing || this.#isOver) return;
    this.#audience.onSound(samples, this.#source.sampleRate);
    if (this.#socket.bufferedAmount > MAX_WAITING) {
      this.#end("The service takes the sound too slowly: try again when it has less to do.");
    } else if (this.#socket.readyState === WebSocket.OPEN) {
      this.#socket.send(samples);
    }
  }

  #complained({ code, message }) {
    this.#mustWait = code === "not_ready" && !this.#isReady;
    this.#complaint = message;
    this.#audience.onNotice(message);
  }

  async #closed(event) {
    if (this.#isOver) return;
    if (this.#mustWait) {
      this.#audience.onPhase("loading");
      this.#timer = setTimeout(() => this.#connect(), LOADING_RETRY_MS);
    } else if (this.#isReady) {
      this.#end(closedInWords(event));
    } else if (this.#complaint) {
      this.#end(this.#complaint);
    } else {
      await this.#refused(REFUSED);
    }
  }

  async #refused(otherwise) {
    const { message, isLocked } = await whyRefused(otherwise);
    this.#end(message, isLocked);
  }

  #end(message, isLocked = false) {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#socket?.close();
    this.#audience.onOver(message, isLocked);
  }
}
