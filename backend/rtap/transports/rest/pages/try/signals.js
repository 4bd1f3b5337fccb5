// What a signal of COVESA VSS is called on the page: its area, its name and its place, all from its path.

/** The first that fits counts; paths begin behind `Vehicle.`. */
const AREAS = [
  ["Climate", /^Cabin\.HVAC\./],
  ["Windows and sunroof", /^Cabin\.(Door\..*(Window|Shade)|Sunroof|RearShade)/],
  ["Doors and locks", /^(Cabin\.Door|Body\.Trunk)\./],
  ["Lights", /^(Body\.Lights|Cabin\.Light|Cabin\.Infotainment\.HMI)\./],
  ["Seats and steering wheel", /^(Cabin\.Seat|Chassis\.SteeringWheel)\./],
  ["Media", /^Cabin\.Infotainment\./],
  ["Wipers and mirrors", /^Body\.(Windshield|Mirrors)\./],
  ["Driving", /^(Speed$|ADAS\.|Powertrain\..*(Transmission|EngineStopStart))/],
  ["Readings and others", /^/],
];
/** Parts of paths that say nothing that the area does not say. */
const SILENT = new Set(
  "ADAS Body Cabin Chassis Door HVAC Infotainment Light Lights Mirrors Powertrain Private Seat Station".split(" "),
);
const PLACE = /(?:Row(\d)\.)?\b(Driver|Passenger)(?:Side)?\b/;
/** Of the columns, which are narrow on telephones. */
export const PLACES = ["Driver", "Passen\u00adger", "Rear driver", "Rear passen\u00adger"];
/** With what stands between a number and its unit; no line ends there. */
const SYMBOLS = { celsius: "\u00a0°C", degrees: "°", percent: "\u00a0%" };

export const AREA_NAMES = AREAS.map(([name]) => name);

/**
 * @param {string} path such as `Vehicle.Cabin.HVAC.Station.Row1.Driver.Temperature`
 * @returns {{area: string, row: string, label: string, place: number | null}} signals of one row differ only
 *   in their place, which is one of PLACES
 */
export function describe(path) {
  const inner = path.replace(/^Vehicle\./, "");
  const [area] = AREAS.find(([, pattern]) => pattern.test(inner.replace(/^Private\./, "")));
  const found = PLACE.exec(inner);
  const line = found ? Number(found[1] ?? 1) : 0;
  const place = line === 1 || line === 2 ? 2 * (line - 1) + (found[2] === "Passenger" ? 1 : 0) : null;
  const row = place === null ? inner : inner.replace(PLACE, "*");
  return { area, row, label: inWords(row), place };
}

function inWords(row) {
  const parts = row.split(".").filter((part) => part !== "*" && !SILENT.has(part));
  const words = parts.flatMap((part) => part.replace(/^Is(?=[A-Z])/, "").split(/(?<=[a-z])(?=[A-Z\d])/));
  if (words.length > 1 && ["Active", "Enabled"].includes(words.at(-1))) words.pop();
  const text = words.join(" ").toLowerCase();
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/**
 * @param {string | number | boolean | null} value
 * @param {string | null} unit as VSS names it
 */
export function valueInWords(value, unit) {
  if (value === null) return "unknown";
  return `${value}${unit ? (SYMBOLS[unit] ?? `\u00a0${unit}`) : ""}`;
}
