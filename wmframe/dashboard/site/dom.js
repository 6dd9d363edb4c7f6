// Elements, and numbers as a person writes them. Text becomes text nodes: nothing a run is called is ever markup.

const SVG = "http://www.w3.org/2000/svg";

/** Make an element; `on…` attributes are listeners, true and false set or leave out, the rest is text. */
export const el = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);

/** The same for a part of a drawing. */
export const svg = (tag, attributes = {}, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const MINUS = "−";

/** A number with as many decimals as suit its size, a true minus sign and never "-0"; a missing one as a dash. */
export function number(value, places = placesFor([value])) {
  if (value === null || value === undefined) return "–";
  const text = value.toFixed(places);
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", MINUS);
}

/** Decimals that suit numbers of this size: 0 from 100 on, 1 from 10 on, else 2. */
export function placesFor(values) {
  const largest = Math.max(0, ...values.filter((value) => value !== null && value !== undefined).map(Math.abs));
  return largest >= 100 ? 0 : largest >= 10 ? 1 : 2;
}

/** Three or four digits, whatever the size: what a curve's value is read off as. */
export function digits(value) {
  if (value === null) return "–";
  const size = Math.abs(value);
  const text = size !== 0 && (size >= 1e6 || size < 1e-3) ? value.toExponential(2) : String(Number(value.toPrecision(4)));
  return text.replaceAll("-", MINUS);
}

/** All ticks of an axis in few characters and one unit: 0, 5k, 10k. */
export function compact(values) {
  const largest = Math.max(...values.map(Math.abs), 0);
  const [unit, letter] = largest >= 1e9 ? [1e9, "G"] : largest >= 1e6 ? [1e6, "M"] : largest >= 1e4 ? [1e3, "k"] : [1, ""];
  return values.map((value) => {
    const text = String(Number((value / unit).toPrecision(6)));
    return text.replaceAll("-", MINUS) + (text === "0" ? "" : letter);
  });
}

/** A duration: 0.4 s, 12 s, 3 min 20 s, 2 h 5 min. */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return whole % 60 ? `${Math.floor(whole / 60)} min ${whole % 60} s` : `${whole / 60} min`;
  const minutes = Math.round(seconds / 60);
  return minutes % 60 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : `${minutes / 60} h`;
}

/** When something was, in the reader's own time: 14:03 today, else 2 Nov 14:03, with the year if it is another. */
export function moment(iso, now = new Date()) {
  const when = new Date(iso);
  if (Number.isNaN(when.getTime())) return "–";
  const time = when.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  if (when.toDateString() === now.toDateString()) return time;
  const day = { day: "numeric", month: "short", ...(when.getFullYear() === now.getFullYear() ? {} : { year: "numeric" }) };
  return `${when.toLocaleDateString([], day)} ${time}`;
}

/** Bytes: 12 kB, 3.4 MB. */
export function bytes(count) {
  if (count === null || count === undefined) return "gone";
  for (const [unit, letter] of [[1e9, "GB"], [1e6, "MB"], [1e3, "kB"]]) {
    if (count >= unit) return `${(count / unit).toFixed(count < 10 * unit ? 1 : 0)} ${letter}`;
  }
  return `${count} B`;
}

/** One class for each chosen run: six colours, and again dashed and dotted. */
export const styleOf = (slot) => `line-${slot % 6} dash-${Math.floor(slot / 6) % 3}`;

export const MOST_CHOSEN = 18;
