// Where sound comes from. A source is opened, started once, and closed.

/**
 * @typedef {object} Source
 * @property {number} sampleRate in Hz, at most 48000
 * @property {(onSamples: (samples: Float32Array) => void, onEnd: (why: string) => void) => void} start
 *   `onEnd` tells that there is no more: `why` is empty at the end of a file, else what happened
 * @property {() => void} close may be called more than once
 */

/** What goes wrong, in words for the page. */
export class SourceError extends Error {}

const FILE_RATE = 16_000;
const FILE_BLOCK_SECONDS = 0.1;
const MAX_FILE_MB = 50;
/** What `/stream` takes. */
const MAX_RATE = 48_000;

/** @returns {string} why there is no microphone to be had on this page at all; empty if there may be one */
export function microphoneObstacle() {
  if (window.isSecureContext && navigator.mediaDevices) return "";
  const port = location.port || "80";
  return (
    "Browsers give the microphone only to pages from https:// or localhost. Open this page on the " +
    `service's machine, or through: ssh -L ${port}:localhost:${port} ${location.hostname}, as ` +
    `http://localhost:${port}/try.`
  );
}

/**
 * @returns {Promise<Source>} the microphone, after the user allowed it; fails with a SourceError, or with
 *   another where the service does not deliver what belongs to this page
 */
export async function openMicrophone() {
  const media = await askForMicrophone();
  const context = newContext();
  const close = () => {
    for (const track of media.getTracks()) track.stop();
    if (context.state !== "closed") context.close();
  };
  try {
    await context.audioWorklet.addModule(new URL("capture.js", import.meta.url));
    await context.resume();
  } catch (error) {
    close();
    throw error;
  }
  return {
    sampleRate: context.sampleRate,
    start: (onSamples, onEnd) => capture(context, media, onSamples, onEnd),
    close,
  };
}

async function askForMicrophone() {
  // The service cleans the sound itself, as it does in the car.
  const audio = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  try {
    return await navigator.mediaDevices.getUserMedia({ audio });
  } catch (error) {
    throw new SourceError(inWords(error));
  }
}

function inWords(error) {
  switch (error.name) {
    case "NotAllowedError":
      return "The browser does not let this page use the microphone: allow it in the page's settings " +
        "beside the address, then try again.";
    case "NotFoundError":
      return "There is no microphone: plug one in, then try again.";
    case "NotReadableError":
      return "The microphone does not answer: close the other programs that use it, then try again.";
    default:
      return `The microphone could not be opened: ${error.message}`;
  }
}

function newContext() {
  const context = new AudioContext({ latencyHint: "interactive" });
  if (context.sampleRate <= MAX_RATE) return context;
  context.close();
  return new AudioContext({ latencyHint: "interactive", sampleRate: MAX_RATE });
}

function capture(context, media, onSamples, onEnd) {
  const node = new AudioWorkletNode(context, "capture");
  node.port.onmessage = ({ data }) => onSamples(data);
  node.onprocessorerror = () => onEnd("The browser stopped recording: try again.");
  for (const track of media.getAudioTracks()) {
    track.onended = () => onEnd("The microphone is gone: plug it in, then try again.");
  }
  context.createMediaStreamSource(media).connect(node);
  // Silence, but some browsers run only what leads to a loudspeaker.
  node.connect(context.destination);
}

/**
 * @param {File} file
 * @returns {Promise<Source>} a file, at the speed at which it was spoken
 */
export async function openFile(file) {
  const samples = await decode(file);
  let timer = 0;
  return {
    sampleRate: FILE_RATE,
    start: (onSamples, onEnd) => {
      const begun = performance.now();
      let sent = 0;
      // Timers are late, most of all in a tab that nobody sees: what is due goes, however much it is.
      timer = window.setInterval(() => {
        const due = Math.round(((performance.now() - begun) / 1000) * FILE_RATE);
        while (sent < Math.min(due, samples.length)) {
          const block = samples.slice(sent, sent + FILE_BLOCK_SECONDS * FILE_RATE);
          sent += block.length;
          onSamples(block);
        }
        if (sent === samples.length) {
          window.clearInterval(timer);
          onEnd("");
        }
      }, FILE_BLOCK_SECONDS * 1000);
    },
    close: () => window.clearInterval(timer),
  };
}

/** @returns {Promise<Float32Array>} mono, at FILE_RATE */
async function decode(file) {
  if (file.size > MAX_FILE_MB * 1e6) {
    throw new SourceError(`${file.name} is larger than ${MAX_FILE_MB} MB: choose a shorter one.`);
  }
  let audio;
  try {
    // Offline, as that needs no loudspeaker; it converts to its own rate.
    const context = new OfflineAudioContext(1, 1, FILE_RATE);
    audio = await context.decodeAudioData(await file.arrayBuffer());
  } catch {
    throw new SourceError(`${file.name} could not be read as audio: choose WAV, FLAC, OGG or MP3.`);
  }
  const mono = new Float32Array(audio.length);
  for (let channel = 0; channel < audio.numberOfChannels; channel += 1) {
    const samples = audio.getChannelData(channel);
    for (let at = 0; at < mono.length; at += 1) mono[at] += samples[at] / audio.numberOfChannels;
  }
  return mono;
}
