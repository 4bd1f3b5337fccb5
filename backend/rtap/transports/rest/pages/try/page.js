// Puts the page together: its controls, its states, and one conversation at a time.

import { Car } from "./car.js";
import { Commands } from "./commands.js";
import { Conversation } from "./conversation.js";
import { askInfo, storeKey, storedKey } from "./service.js";
import { microphoneObstacle, openFile, openMicrophone } from "./sources.js";
import { Transcript } from "./transcript.js";
import { Waveform } from "./waveform.js";

const ASK_AGAIN_MS = 2_000;
const STATES = {
  starting: "Connecting",
  loading: "The speech model is being loaded",
  locked: "Locked",
  failed: "Not ready",
  ready: "Ready",
  asking: "Waiting for the sound",
  connecting: "Connecting",
  listening: "Listening",
  finishing: "Finishing",
};

const part = (id) => document.getElementById(id);
const commands = new Commands({
  form: part("command-form"),
  text: part("command"),
  send: part("send"),
  undo: part("undo"),
  wish: part("wish"),
});
const transcript = new Transcript(
  { partial: part("partial"), finals: part("finals"), welcome: part("welcome") },
  (text) => commands.suggest(text),
);
const car = new Car(
  { place: part("signals"), problem: part("car-problem"), adapter: part("adapter") },
  (adapter) => commands.preferFor(adapter),
);
const waveform = new Waveform(part("waveform"), part("level"));
const obstacle = microphoneObstacle();

/** @type {Conversation | null} */
let running = null;
/** What "Try again" does. */
let again = refresh;
/** Of the next look at a service that is not ready. */
let timer = 0;

function show(state) {
  document.body.dataset.state = state;
  part("state").textContent = STATES[state];
  const isBusy = running !== null;
  const isFree = state === "ready" || state === "failed" || state === "loading";
  part("speak").toggleAttribute("data-running", isBusy);
  part("speak-label").textContent = isBusy ? "Stop" : "Speak";
  part("speak").disabled = isBusy ? state === "finishing" : Boolean(obstacle) || !isFree;
  part("file").disabled = isBusy || !isFree;
  part("language").disabled = isBusy;
  commands.allow({ typing: isBusy || isFree, choosing: !isBusy });
  part("key-form").hidden = state !== "locked";
  part("advice").textContent = isBusy ? "" : obstacle;
  waveform.isRunning = state === "listening";
}

/** @param {string} message empty: there is none */
function complain(message) {
  // An alert is read out whenever it is set.
  if (part("problem-text").textContent !== message) part("problem-text").textContent = message;
  part("problem").hidden = !message;
  part("retry").hidden = running !== null;
}

// ---- the service

async function refresh() {
  clearTimeout(timer);
  again = refresh;
  if (document.body.dataset.state !== "loading") {
    complain("");
    show("starting");
  }
  const info = await askInfo();
  if (running) return;
  if (info.kind === "ready") {
    complain("");
    part("model").textContent = info.model;
    part("warning").textContent = info.warning;
    part("warning").hidden = !info.warning;
    offer(info.languages);
    await car.start(); // before anybody speaks: the car says whether commands are done in it
    if (!running) show("ready");
  } else if (info.kind === "loading") {
    show("loading");
    complain(info.message);
    timer = setTimeout(() => running || refresh(), ASK_AGAIN_MS);
  } else if (info.kind === "locked") {
    lock();
  } else {
    fail(info.message);
  }
}

function fail(message) {
  show("failed");
  complain(message);
}

function lock() {
  const wasWrong = Boolean(storedKey());
  storeKey("");
  car.stop();
  show("locked");
  if (wasWrong) complain("The service does not know this key.");
  part("retry").hidden = true;
  part("key").focus();
}

/** @param {string[]} codes */
function offer(codes) {
  const select = part("language");
  const chosen = select.value;
  const names = new Intl.DisplayNames("en", { type: "language", fallback: "code" });
  const options = codes.map((code) => new Option(names.of(code), code));
  options.sort((one, other) => one.text.localeCompare(other.text));
  select.replaceChildren(new Option("Automatic", "auto"), ...options);
  select.value = ["auto", ...codes].includes(chosen) ? chosen : "auto";
}

// ---- a conversation

/** @param {() => Promise<import("./sources.js").Source>} open */
function start(open) {
  if (running) return;
  again = () => start(open);
  const settings = { language: part("language").value, wish: commands.wish, name: commands.name };
  const conversation = new Conversation(settings, {
    onPhase: show,
    onSound: (samples, rate) => waveform.push(samples, rate),
    onPartial: (text) => {
      transcript.partial = text;
    },
    onFinal: (final) => transcript.add(final),
    onStep: (message) => {
      transcript.step(message);
      if (message.type === "action") car.refresh();
    },
    onNotice: complain,
    onOver: over,
  });
  running = conversation;
  complain("");
  conversation.begin(open);
}

/**
 * @param {string} message empty: all went well
 * @param {boolean} isLocked whether the service wants another key
 */
function over(message, isLocked) {
  running = null;
  transcript.partial = "";
  part("retry").hidden = false;
  if (isLocked) lock();
  else if (message) fail(message);
  else show("ready");
}

// ---- a command that is typed

/** @param {import("./commands.js").Command} command */
async function send(command) {
  again = () => send(command);
  complain("");
  const { kind, message, body } = await commands.send(command);
  if (kind === "ready") {
    transcript.addTyped(command.utterance_id, body);
    car.refresh();
    if (document.body.dataset.state === "failed") show("ready");
  } else if (kind === "locked" && !running) {
    lock();
  } else if (running || kind === "failed") {
    complain(message);
  } else {
    fail(message);
  }
}

commands.onCommand = (text, wish) => send(commands.make(text, part("language").value, wish));
commands.onUndo = () => send(commands.undoing(part("language").value));

function startFile(file) {
  if (file) start(() => openFile(file));
}

// ---- controls

part("speak").addEventListener("click", () => {
  if (running) running.finish();
  else start(openMicrophone);
});

part("retry").addEventListener("click", () => again());

part("file").addEventListener("change", ({ target }) => {
  const [file] = target.files;
  target.value = ""; // the same file may be chosen again
  startFile(file);
});

part("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  storeKey(part("key").value);
  part("key").value = "";
  refresh();
});

document.addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.add("dropping");
});

document.addEventListener("dragleave", (event) => {
  if (event.relatedTarget === null) document.body.classList.remove("dropping");
});

document.addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("dropping");
  if (!part("file").disabled) startFile(event.dataTransfer.files[0]);
});

window.addEventListener("pagehide", () => running?.abandon());

refresh();
