// The last seconds of sound as bars, and how loud it is at this moment.

const SECONDS = 5;
const COLUMN_SECONDS = 0.04;
const COLUMNS = Math.round(SECONDS / COLUMN_SECONDS);
const QUIETEST_DB = -60;
/** Screen readers need no more. */
const TELL_EVERY_MS = 500;

export class Waveform {
  #canvas;
  #meter;
  #peaks = new Float32Array(COLUMNS);
  #peak = 0;
  #counted = 0;
  #level = 0;
  #toldAt = 0;
  #isRunning = false;
  #isDue = false;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {HTMLElement} meter
   */
  constructor(canvas, meter) {
    this.#canvas = canvas;
    this.#meter = meter;
    new ResizeObserver(() => this.#request()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#request());
  }

  /** @param {boolean} isRunning whether sound comes; what came stays to be seen, in grey */
  set isRunning(isRunning) {
    if (isRunning && !this.#isRunning) this.#peaks.fill(0);
    this.#isRunning = isRunning;
    if (!isRunning) this.#level = 0;
    this.#request();
  }

  /**
   * @param {Float32Array} samples
   * @param {number} rate in Hz
   */
  push(samples, rate) {
    let power = 0;
    for (const sample of samples) {
      power += sample * sample;
      this.#peak = Math.max(this.#peak, Math.abs(sample));
      this.#counted += 1;
      if (this.#counted >= rate * COLUMN_SECONDS) this.#nextColumn();
    }
    this.#level = loudness(power / Math.max(1, samples.length));
    this.#request();
  }

  #nextColumn() {
    this.#peaks.copyWithin(0, 1);
    this.#peaks[COLUMNS - 1] = this.#peak;
    this.#peak = 0;
    this.#counted = 0;
  }

  #request() {
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => {
      this.#isDue = false;
      this.#draw();
      this.#tell();
    });
  }

  #draw() {
    const canvas = this.#canvas;
    const scale = window.devicePixelRatio;
    const width = Math.round(canvas.clientWidth * scale);
    const height = Math.round(canvas.clientHeight * scale);
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    const pen = canvas.getContext("2d");
    pen.clearRect(0, 0, width, height);
    pen.fillStyle = getComputedStyle(canvas).getPropertyValue(this.#isRunning ? "--accent" : "--outline");
    const step = width / COLUMNS;
    const thinnest = 2 * scale;
    this.#peaks.forEach((peak, column) => {
      // The root shows quiet speech, too.
      const tall = Math.max(thinnest, Math.sqrt(Math.min(1, peak)) * height);
      pen.fillRect(column * step, (height - tall) / 2, Math.max(1, step * 0.6), tall);
    });
  }

  #tell() {
    this.#meter.style.setProperty("--level", this.#level.toFixed(3));
    const now = performance.now();
    if (this.#isRunning && now - this.#toldAt < TELL_EVERY_MS) return;
    this.#toldAt = now;
    this.#meter.setAttribute("aria-valuenow", String(Math.round(this.#level * 100)));
  }
}

/** @returns {number} 0 for silence to 1 for full scale */
function loudness(power) {
  const decibels = 10 * Math.log10(power + 1e-12);
  return Math.min(1, Math.max(0, 1 - decibels / QUIETEST_DB));
}
