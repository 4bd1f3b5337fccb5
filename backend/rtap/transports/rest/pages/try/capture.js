// Runs in the audio thread: collects what the microphone gives and hands it on in blocks.

/** Seconds in one block: what it waits for adds to the latency, what it spares are messages. */
const BLOCK_SECONDS = 0.04;

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.size = Math.round(sampleRate * BLOCK_SECONDS);
    this.begin();
  }

  begin() {
    this.block = new Float32Array(this.size);
    this.filled = 0;
  }

  /** @param {Float32Array[][]} inputs */
  process([channels]) {
    const length = channels.length ? channels[0].length : 0;
    for (let at = 0; at < length; at += 1) {
      let sum = 0;
      for (const channel of channels) sum += channel[at];
      this.block[this.filled] = sum / channels.length;
      this.filled += 1;
      if (this.filled === this.size) {
        this.port.postMessage(this.block, [this.block.buffer]);
        this.begin();
      }
    }
    return true;
  }
}

registerProcessor("capture", Capture);
