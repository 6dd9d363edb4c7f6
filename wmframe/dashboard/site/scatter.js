// Scores of all runs in the table: what each got awake, or what its stages measured, over what it got in its dream or
// over any key of its config.

import { distinct, metricsOf, scoring, shortName, valueOf } from "./columns.js";
import { compact, digits, el, number, placesFor, styleOf, svg } from "./dom.js";

const SIZE = { width: 760, height: 420 };
const PAD = { top: 14, right: 20, bottom: 40, left: 60 };

/** `view` has the x and y that were chosen, of which the first that there is stands in where it is not there. */
export function drawScatter(runs, chosen, varying, view, change, act) {
  const keys = [...(scoring(runs) ? [["dream", "return in its dream"]] : []), ...varying.map(({ key }) => [key, key])];
  const told = [...(scoring(runs) ? [["awake", "awake, mean return"]] : []), ...metricsOf(runs).map((key) => [key, key])];
  const [x, y] = [among(keys, view.x), among(told, view.y)];
  const points = runs.map((run) => ({ run, x: valueOf(run, x), y: valueOf(run, y) })).filter((point) => point.x !== null && point.y !== null);
  const tools = el("div", { class: "tools" }, told.length > 1 && el("label", {}, "of ", choice(told, y, (key) => change({ y: key }))), el("label", {}, told.length > 1 ? "over " : `${told[0][1]}, over `, choice(keys, x, (key) => change({ x: key }))));
  if (points.length === 0) return [tools, el("p", { class: "note" }, "No run of the table has both yet.")];
  const numeric = points.every((point) => !Number.isNaN(Number(point.x)));
  return [tools, el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "scores" }, plot(points, x, y, numeric, chosen, act)), el("p", { class: "note" }, said(points, x, numeric))];
}

const among = (options, wanted) => (options.some(([key]) => key === wanted) ? wanted : options[0]?.[0] ?? wanted);

const choice = (options, chosen, onchoice) => el("select", { onchange: (event) => onchoice(event.target.value) }, options.map(([key, label]) => el("option", { value: key, selected: key === chosen }, label)));

function said(points, x, numeric) {
  const counted = new Set(distinct(points.map(({ run }) => run)));
  const once = points.filter(({ run }) => counted.has(run));
  const rho = numeric ? spearman(once.map((point) => Number(point.x)), once.map((point) => point.y)) : null;
  const correlation = rho === null ? "" : ` Rank correlation (Spearman) ${number(rho, 2)}, n = ${once.length}, the same result counted once; runs that differ in more than ${x === "dream" ? "luck" : "this key"} are in it too.`;
  return `One dot is one run of the table, as filtered; a click chooses it.${x === "dream" ? " On the line, reality pays what the dream promised." : ""}${correlation}`;
}

function plot(points, x, measured, numeric, chosen, act) {
  const names = [...new Set(points.map((point) => String(point.x)))].sort((a, b) => a.localeCompare(b, undefined, { numeric: true }));
  const value = (point) => (numeric ? Number(point.x) : names.indexOf(String(point.x)));
  const across = scale(points.map(value), PAD.left, SIZE.width - PAD.right);
  const up = scale(points.map(({ y }) => y), SIZE.height - PAD.bottom, PAD.top);
  const root = svg("svg", { class: "scatter", viewBox: `0 0 ${SIZE.width} ${SIZE.height}`, role: "group" });
  const yTexts = compact(up.ticks);
  up.ticks.forEach((tick, index) => root.append(svg("line", { class: "grid", x1: PAD.left, x2: SIZE.width - PAD.right, y1: up.at(tick), y2: up.at(tick) }), svg("text", { class: "tick y", x: PAD.left - 8, y: up.at(tick) + 4 }, yTexts[index])));
  const ticks = numeric ? (names.length <= 8 ? names.map(Number) : across.ticks) : names.map((_, index) => index);
  const xTexts = numeric ? compact(ticks) : names.map((name) => (name.length > 16 ? `…${name.slice(-15)}` : name));
  ticks.forEach((tick, index) => root.append(svg("text", { class: "tick x", x: across.at(tick), y: SIZE.height - PAD.bottom + 18 }, xTexts[index])));
  root.append(svg("text", { class: "tick x", x: (PAD.left + SIZE.width - PAD.right) / 2, y: SIZE.height - 4 }, x === "dream" ? "mean return in its dream" : x));
  if (x === "dream") root.append(equal(across, up));
  // The chosen ones are drawn last, above the others.
  const order = [...points].sort((a, b) => chosen.has(a.run.name) - chosen.has(b.run.name));
  root.append(...order.map((point) => dot(point, across.at(value(point)), up.at(point.y), chosen.get(point.run.name), act, x, measured)));
  return root;
}

function dot({ run, x, y }, cx, cy, slot, act, key, measured) {
  const places = placesFor([y]);
  const words = `${shortName(run.name)}: ${measured} ${measured === "awake" ? number(y, places) : digits(y)}, ${key} ${typeof x === "number" ? number(x, places) : x}`;
  const toggle = () => act.toggle(run.name);
  return svg("circle", { class: slot === undefined ? "dot" : `dot picked ${styleOf(slot)}`, cx, cy, r: slot === undefined ? 4 : 6, tabindex: "0", role: "checkbox", "aria-checked": String(slot !== undefined), "aria-label": words, onclick: toggle, onkeydown: (event) => {
    if (event.key === " " || event.key === "Enter") { event.preventDefault(); toggle(); }
  } }, svg("title", {}, words));
}

/** The line on which the dream is right, as far as it lies in the picture. */
function equal(across, up) {
  const [low, high] = [Math.max(across.low, up.low), Math.min(across.high, up.high)];
  return low < high ? svg("line", { class: "equal", x1: across.at(low), y1: up.at(low), x2: across.at(high), y2: up.at(high) }) : "";
}

function scale(values, from, to) {
  let [low, high] = [Math.min(...values), Math.max(...values)];
  if (low === high) [low, high] = [low - (Math.abs(low) / 2 || 1), high + (Math.abs(high) / 2 || 1)];
  const spare = (high - low) * 0.06;
  [low, high] = [low - spare, high + spare];
  const raw = (high - low) / 6;
  const unit = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * unit).find((candidate) => candidate >= raw);
  const ticks = [];
  for (let index = Math.ceil(low / step); index * step <= high; index += 1) ticks.push(Number((index * step).toPrecision(12)));
  return { low, high, ticks, at: (value) => from + ((to - from) * (value - low)) / (high - low) };
}

/** Spearman's rank correlation, equal values sharing their mean rank; null for fewer than three or no spread. */
function spearman(a, b) {
  if (a.length < 3) return null;
  const [left, right] = [ranks(a), ranks(b)];
  const mean = (a.length - 1) / 2;
  const product = (p, q) => p.reduce((sum, value, index) => sum + (value - mean) * (q[index] - mean), 0);
  const spread = Math.sqrt(product(left, left) * product(right, right));
  return spread > 0 ? product(left, right) / spread : null;
}

function ranks(values) {
  const order = [...values.keys()].sort((a, b) => values[a] - values[b]);
  const found = Array(values.length);
  for (let start = 0; start < order.length;) {
    let stop = start;
    while (stop < order.length && values[order[stop]] === values[order[start]]) stop += 1;
    for (let index = start; index < stop; index += 1) found[order[index]] = (start + stop - 1) / 2;
    start = stop;
  }
  return found;
}
