// The car's signals by area, read again and again, with those marked that changed just now.

import { element } from "./elements.js";
import { askVehicle } from "./service.js";
import { AREA_NAMES, PLACES, describe, valueInWords } from "./signals.js";

const EVERY_MS = 2_000;
/** How long a change is marked. */
const NEW_MS = 10_000;

/**
 * @typedef {object} Reading
 * @property {string} path
 * @property {string | number | boolean | null} value
 * @property {string | null} unit
 */

export class Car {
  #place;
  #problem;
  #adapter;
  #onAdapter;
  /** @type {Map<string, Cell>} by path */
  #cells = new Map();
  /** @type {Area[]} */
  #areas = [];
  #timer = 0;
  #isAsking = false;
  #mustAskAgain = false;
  #isOn = false;

  /**
   * @param {{place: HTMLElement, problem: HTMLElement, adapter: HTMLElement}} parts for the signals, what is
   *   wrong, and the way to the car
   * @param {(adapter: string) => void} onAdapter gets the way to the car, whenever it is told
   */
  constructor({ place, problem, adapter }, onAdapter) {
    this.#place = place;
    this.#problem = problem;
    this.#adapter = adapter;
    this.#onAdapter = onAdapter;
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.refresh();
    });
  }

  /** Watch the car from now on. @returns {Promise<void>} after the first look */
  start() {
    this.#isOn = true;
    return this.refresh();
  }

  /** Watch it no more, as the service wants a key that is not there. */
  stop() {
    this.#isOn = false;
    clearTimeout(this.#timer);
    this.#show([]);
    this.#tell("", "");
  }

  /** Look at once. */
  async refresh() {
    this.#mustAskAgain = this.#isAsking;
    if (this.#isAsking || !this.#isOn) return;
    clearTimeout(this.#timer);
    this.#isAsking = true;
    const reply = await askVehicle();
    this.#isAsking = false;
    if (!this.#isOn) return;
    this.#take(reply);
    if (this.#mustAskAgain) this.refresh();
    else if (!document.hidden) this.#timer = setTimeout(() => this.refresh(), EVERY_MS);
  }

  #take({ kind, message, body }) {
    if (kind === "ready") {
      this.#tell(body.adapter, "");
      this.#show(body.signals);
      this.#onAdapter(body.adapter);
    } else {
      this.#tell("", `Nothing is known of the car now: ${message}`);
    }
    this.#place.classList.toggle("stale", kind !== "ready");
  }

  #tell(adapter, problem) {
    this.#adapter.textContent = adapter;
    // It is read out whenever it is set.
    if (this.#problem.textContent !== problem) this.#problem.textContent = problem;
  }

  /** @param {Reading[]} readings */
  #show(readings) {
    const isSame = readings.length === this.#cells.size && readings.every(({ path }) => this.#cells.has(path));
    if (!isSame) this.#build(readings);
    const now = performance.now();
    const changed = readings.filter((reading) => this.#cells.get(reading.path).show(reading, now));
    for (const area of this.#areas) area.count();
    if (changed.length) this.#reveal(this.#areaOf(changed[0].path));
  }

  #build(readings) {
    this.#cells.clear();
    this.#areas = AREA_NAMES.map((name) => new Area(name));
    for (const { path } of readings) {
      const described = describe(path);
      const area = this.#areas[AREA_NAMES.indexOf(described.area)];
      this.#cells.set(path, area.add(path, described));
    }
    this.#areas = this.#areas.filter((area) => area.cells.length);
    this.#place.replaceChildren(...this.#areas.map((area) => area.element));
  }

  #areaOf(path) {
    return this.#areas.find((area) => area.cells.includes(this.#cells.get(path)));
  }

  /** Scroll to an area, where the signals scroll by themselves and not with the page. */
  #reveal(area) {
    const scroller = this.#place.parentElement;
    if (scroller.scrollHeight > scroller.clientHeight) {
      scroller.scrollTop = area.element.offsetTop - this.#place.offsetTop;
    }
  }
}

/** A part of the car, with its signals in rows. */
class Area {
  /** @type {Cell[]} */
  cells = [];
  #rows = new Map();
  /** For signals of a place, a column for each. */
  #table = element("table", "");
  /** For all others. */
  #list = element("dl", "");
  #count = element("span", "count");

  /** @param {string} name */
  constructor(name) {
    this.element = element("details", "area", element("summary", "", name, this.#count), this.#table, this.#list);
    this.element.open = AREA_NAMES.indexOf(name) < 2;
  }

  /** @returns {Cell} */
  add(path, { row, label, place }) {
    const cell = new Cell(path, place === null ? "dd" : "td");
    this.cells.push(cell);
    if (place === null) {
      this.#list.append(element("div", "", element("dt", "", label), cell.element));
    } else {
      this.#head();
      if (!this.#rows.has(row)) this.#rows.set(row, this.#newRow(label));
      this.#rows.get(row).cells[place + 1].replaceWith(cell.element);
    }
    return cell;
  }

  /** Say how many signals are marked, and show them. */
  count() {
    const marked = this.cells.filter((cell) => cell.isNew).length;
    const text = marked ? `${marked} changed` : "";
    if (text && !this.#count.textContent) this.element.open = true;
    this.#count.textContent = text;
  }

  #head() {
    if (this.#table.tHead) return;
    const names = PLACES.map((name) => heading("col", name));
    this.#table.createTHead().append(element("tr", "", element("td", ""), ...names));
  }

  #newRow(label) {
    const empty = PLACES.map(() => element("td", ""));
    const made = element("tr", "", heading("row", label), ...empty);
    this.#table.append(made);
    return made;
  }
}

/** The value of one signal. */
class Cell {
  #path;
  #value;
  #changedAt = -Infinity;
  isNew = false;

  /**
   * @param {string} path
   * @param {"dd" | "td"} kind of element
   */
  constructor(path, kind) {
    this.#path = path;
    this.element = element(kind, "value");
  }

  /**
   * @param {Reading} reading
   * @param {number} now in milliseconds
   * @returns {boolean} whether it changed
   */
  show({ value, unit }, now) {
    const isFirst = this.#value === undefined;
    const isChanged = !isFirst && value !== this.#value;
    if (isChanged) this.#changedAt = now;
    if (isChanged || isFirst) {
      this.element.title = `${this.#path}: ${value} ${unit ?? ""}`.trimEnd();
      this.element.replaceChildren(valueInWords(value, unit));
    }
    if (isChanged) {
      this.element.append(element("small", "", `was ${valueInWords(this.#value, unit)}`));
    }
    this.#value = value;
    this.isNew = now - this.#changedAt < NEW_MS;
    this.element.classList.toggle("new", this.isNew);
    return isChanged;
  }
}

function heading(scope, text) {
  const made = element("th", "", text);
  made.scope = scope;
  return made;
}
