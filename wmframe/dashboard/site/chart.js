// One chart: lines of several runs over one axis, with values under the pointer or the arrow keys.

import { compact, digits, el, styleOf, svg } from "./dom.js";

const HEIGHT = 220;
const PAD = { top: 8, right: 12, bottom: 26, left: 52 };
const widened = new Set(); // metrics whose chart the reader made wide: it stays so when it is drawn anew
const charts = new Set(); // those on the page, so that a look at one is a look at all of its stage

/**
 * Return a figure. `lines` are { label, slot, x, y, faint }; y may hold null, a gap. `marks` are steps at which a round
 * begins. `options` are { logX, logY, smoothing }.
 */
export function chart({ title, metric, stage, xLabel, note, lines, marks, options }) {
  const shown = lines.map((line) => ({ ...line, ...smooth(line, options.smoothing) }));
  const values = shown.flatMap(({ y }) => y).filter((value) => value !== null);
  const logY = options.logY && values.some((value) => value > 0) && values.every((value) => value > 0);
  const logX = options.logX && shown.every(({ x }) => x.every((step) => step > 0));
  const frame = el("div", { class: "plot", tabindex: "0", role: "img", "aria-label": `${title}: ${metric} over ${xLabel}, ${new Set(lines.map(({ slot }) => slot)).size} runs. Arrow keys read values.` });
  const tip = el("div", { class: "tip", role: "status", hidden: true });
  const refusal = options.logY && !logY ? "Values of 0 or less: the axis stays linear. " : "";
  const wide = el("button", { type: "button", class: "quiet", "aria-pressed": String(widened.has(metric)), title: "as wide as the page", onclick: () => {
    widened.delete(metric) || widened.add(metric);
    wide.setAttribute("aria-pressed", String(figure.classList.toggle("wide", widened.has(metric))));
  } }, "⤢");
  const figure = el("figure", { class: widened.has(metric) ? "chart wide" : "chart" }, el("figcaption", {}, el("h3", {}, title), el("code", {}, metric), wide), frame, tip, el("p", { class: "axis-name" }, xLabel), (refusal || note) && el("p", { class: "note" }, refusal + note));
  const self = { figure, stage, lines: shown, marks, logX, logY, frame, tip };
  self.observer = new ResizeObserver(() => requestAnimationFrame(() => draw(self)));
  self.observer.observe(frame);
  listen(self);
  charts.add(self);
  return figure;
}

/** Draw the charts that came onto the page, now that they have a width, and forget those that left it. */
export function settle() {
  for (const self of charts) {
    if (self.figure.isConnected) draw(self);
    else {
      self.observer.disconnect();
      charts.delete(self);
    }
  }
}

/** Exponential mean of a line, the early ones corrected for having few values before them. */
function smooth({ x, y }, weight) {
  if (!weight) return { x, y };
  let [sum, share] = [0, 0];
  return { x, y: y.map((value) => {
    if (value === null) return null;
    [sum, share] = [weight * sum + (1 - weight) * value, weight * share + (1 - weight)];
    return sum / share;
  }) };
}

function draw(self) {
  const width = self.frame.clientWidth;
  if (width === 0 || width === self.width) return;
  self.width = width;
  const xs = self.lines.flatMap(({ x }) => x);
  const ys = self.lines.flatMap(({ y }) => y).filter((value) => value !== null);
  self.x = axis(xs, self.logX, PAD.left, width - PAD.right, width < 420 ? 4 : 6);
  self.y = axis(ys, self.logY, HEIGHT - PAD.bottom, PAD.top, 5, 0.05);
  self.cursor = svg("g", { class: "cursor" });
  const [xTexts, yTexts] = [compact(self.x.ticks), compact(self.y.ticks)];
  self.frame.replaceChildren(svg("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, "aria-hidden": "true" },
    self.y.ticks.map((tick, index) => [
      svg("line", { class: "grid", x1: PAD.left, x2: width - PAD.right, y1: self.y.at(tick), y2: self.y.at(tick) }),
      svg("text", { class: "tick y", x: PAD.left - 8, y: self.y.at(tick) + 4 }, yTexts[index])]),
    self.x.ticks.map((tick, index) => svg("text", { class: "tick x", x: self.x.at(tick), y: HEIGHT - 8 }, xTexts[index])),
    self.marks.map((step) => svg("line", { class: "round", x1: self.x.at(step), x2: self.x.at(step), y1: PAD.top, y2: HEIGHT - PAD.bottom })),
    [...self.lines].reverse().map((line) => drawLine(line, self)),
    self.cursor));
}

function drawLine({ x, y, slot, faint }, self) {
  let [path, pen, points] = ["", false, 0];
  y.forEach((value, index) => {
    if (value === null) { pen = false; return; }
    path += `${pen ? "L" : "M"}${self.x.at(x[index]).toFixed(1)} ${self.y.at(value).toFixed(1)}`;
    [pen, points] = [true, points + 1];
  });
  const ends = points < 3 ? y.map((value, index) => value !== null && svg("circle", { cx: self.x.at(x[index]), cy: self.y.at(value), r: 2.5 })) : [];
  return svg("g", { class: `line ${styleOf(slot)}${faint ? " faint" : ""}`, "data-slot": slot }, svg("path", { d: path }), ends);
}

/** A scale from values to pixels with round ticks; `margin` is a share of the range left free at both ends. */
function axis(values, log, from, to, most, margin = 0) {
  const map = log ? Math.log10 : (value) => value;
  let [low, high] = values.reduce(([l, h], value) => [Math.min(l, value), Math.max(h, value)], [Infinity, -Infinity]).map(map);
  if (!Number.isFinite(low)) [low, high] = [0, 1];
  if (low === high) [low, high] = [low - (Math.abs(low) / 2 || 1), high + (Math.abs(high) / 2 || 1)];
  const spare = (high - low) * margin;
  [low, high] = [low - spare, high + spare];
  const at = (value) => from + ((to - from) * (map(value) - low)) / (high - low);
  return { at, low, high, back: (pixel) => { const v = low + ((high - low) * (pixel - from)) / (to - from); return log ? 10 ** v : v; }, ticks: log ? logTicks(low, high) : linearTicks(low, high, most) };
}

function linearTicks(low, high, most) {
  const raw = (high - low) / most;
  const unit = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * unit).find((candidate) => candidate >= raw);
  const ticks = [];
  for (let index = Math.ceil(low / step - 1e-9); index * step <= high + step * 1e-9; index += 1) ticks.push(Number((index * step).toPrecision(12)));
  return ticks;
}

function logTicks(low, high) {
  const decades = high - low;
  const factors = decades > 3 ? [1] : decades > 1.2 ? [1, 3] : [1, 2, 5];
  const every = Math.max(1, Math.ceil(decades / 6));
  const ticks = [];
  for (let power = Math.floor(low); power <= Math.ceil(high); power += every) for (const factor of factors) {
    const tick = Number((factor * 10 ** power).toPrecision(6));
    if (Math.log10(tick) >= low - 1e-9 && Math.log10(tick) <= high + 1e-9) ticks.push(tick);
  }
  return ticks.length > 1 ? ticks : linearTicks(10 ** low, 10 ** high, 4).filter((tick) => tick > 0);
}

function listen(self) {
  const { frame } = self;
  frame.addEventListener("pointermove", (event) => look(self, self.x?.back(event.clientX - frame.getBoundingClientRect().left)));
  frame.addEventListener("pointerleave", () => look(self, undefined));
  frame.addEventListener("blur", () => look(self, undefined));
  frame.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === "Escape") look(self, undefined);
    if (way === undefined || !self.x) return;
    event.preventDefault();
    const steps = [...new Set(self.lines.flatMap(({ x }) => x))].sort((a, b) => a - b);
    const here = self.step === undefined ? (way > 0 ? -1 : steps.length) : nearest(steps, self.step);
    look(self, steps[Math.min(Math.max(here + way, 0), steps.length - 1)]);
  });
}

/** Show what every line is at a step, here in words, and as dots in the other charts of the stage. */
function look(self, step) {
  for (const other of charts) if (other.stage === self.stage && other.x) point(other, step);
  const read = step === undefined ? [] : self.lines.map((line) => ({ ...line, index: nearest(line.x, step) })).filter(({ y, index }) => index >= 0 && y[index] !== null);
  self.tip.hidden = read.length === 0;
  if (self.tip.hidden) return;
  read.sort((a, b) => b.y[b.index] - a.y[a.index]);
  self.tip.replaceChildren(el("b", {}, `${compact([read[0].x[read[0].index]])[0]}`), el("ul", {}, read.map(({ label, slot, faint, y, index }) =>
    el("li", {}, el("span", { class: `swatch ${styleOf(slot)}${faint ? " faint" : ""}` }), el("span", { class: "what" }, label + (faint ? ", fitted on" : "")), el("b", {}, digits(y[index]))))));
  const left = self.x.at(step) > self.width / 2;
  self.tip.classList.toggle("left", left);
}

function point(self, step) {
  self.step = step;
  self.cursor.replaceChildren();
  if (step === undefined) return;
  const x = self.x.at(step);
  if (x < PAD.left - 1 || x > self.width - PAD.right + 1) return;
  self.cursor.append(svg("line", { x1: x, x2: x, y1: PAD.top, y2: HEIGHT - PAD.bottom }));
  for (const line of self.lines) {
    const index = nearest(line.x, step);
    if (index >= 0 && line.y[index] !== null && !line.faint) {
      self.cursor.append(svg("circle", { class: styleOf(line.slot), cx: self.x.at(line.x[index]), cy: self.y.at(line.y[index]), r: 3.5 }));
    }
  }
}

/** The index of the value nearest to a step in a sorted list, -1 for an empty one. */
function nearest(sorted, step) {
  let [low, high] = [0, sorted.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (sorted[middle] > step) high = middle; else low = middle;
  }
  return sorted.length && Math.abs(sorted[high] - step) < Math.abs(sorted[low] - step) ? high : sorted.length ? low : -1;
}
