// From a run's score back to its data: every stage with its key, drawn as a graph and listed.

import { bytes, duration, el, moment, svg } from "./dom.js";

const LANES = ["collect", "vision", "latents", "memory", "controller", "evaluate"];
const WORDS = { collect: "data", vision: "V", latents: "latents", memory: "M", controller: "C", evaluate: "score" };
const CELL = { width: 168, height: 58 };
const BOX = { width: 126, height: 38 };
const LEFT = 64;

export function drawLineage({ steps, provenance }, run) {
  if (steps.length === 0) return [el("p", { class: "note" }, "This run cannot be read, so nothing is known of what it was made of.")];
  const facts = { command: run.command, begun: moment(run.started), took: ["finished", "failed"].includes(run.state) ? duration(run.seconds) : run.state, ...provenance };
  return [
    el("div", { class: "beside" },
      el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "lineage, as a graph" }, graph(steps)),
      el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "stages" }, table(steps))),
    el("p", { class: "note" }, "Point at a stage, or step to it with Tab: all that it was made of lights up, and all that was made of it."),
    el("dl", { class: "facts" }, Object.entries(facts).filter(([, value]) => value).flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, name === "command" ? el("code", {}, value) : value)])),
  ];
}

/** Lanes are stages, columns are rounds; a cell that holds several (one V, several rounds' latents) stacks them. */
function graph(steps) {
  const lanes = LANES.filter((lane) => steps.some(({ stage }) => stage === lane || (stage === "baseline" && lane === "evaluate"))).concat([...new Set(steps.map(({ stage }) => stage))].filter((stage) => !LANES.includes(stage) && stage !== "baseline"));
  const last = Math.max(1, ...steps.map(roundOf));
  const places = new Map();
  const depth = lanes.map(() => 1);
  for (const step of steps) {
    // The random policy's score stands beside the driver's, for which it is made.
    const lane = lanes.indexOf(step.stage === "baseline" ? "evaluate" : step.stage);
    const column = step.stage === "evaluate" ? last : step.stage === "baseline" ? last + 1 : roundOf(step);
    const nth = [...places.values()].filter((place) => place.lane === lane && place.column === column).length;
    depth[lane] = Math.max(depth[lane], nth + 1);
    places.set(step.name, { lane, column, nth, step });
  }
  const tops = depth.map((_, lane) => depth.slice(0, lane).reduce((sum, count) => sum + count, 0) * CELL.height);
  for (const place of places.values()) [place.x, place.y] = [LEFT + (place.column - 1) * CELL.width, tops[place.lane] + place.nth * CELL.height + 10];
  const [width, height] = [LEFT + (last + (steps.some(({ stage }) => stage === "baseline") ? 1 : 0)) * CELL.width, depth.reduce((sum, count) => sum + count, 0) * CELL.height + 8];
  const root = svg("svg", { class: "lineage", viewBox: `0 0 ${width} ${height}`, width, height, role: "group" });
  const edges = steps.flatMap((step) => step.parents.filter((parent) => places.has(parent)).map((parent) => edge(places.get(parent), places.get(step.name))));
  root.append(...lanes.map((lane, index) => svg("text", { class: "lane", x: 0, y: tops[index] + 10 + BOX.height / 2 + 4 }, WORDS[lane] ?? lane)), ...edges, ...steps.map((step) => node(places.get(step.name), steps, root)));
  return root;
}

/** The round that a step belongs to: the last number of its name. */
const roundOf = ({ name }) => Number(/(\d+)$/.exec(name)?.[1] ?? 1);

function edge(from, to) {
  const [left, right, middle] = [from.x + BOX.width, to.x, (place) => place.y + BOX.height / 2];
  let path = `M${left} ${middle(from)}C${left + 26} ${middle(from)} ${right - 26} ${middle(to)} ${right} ${middle(to)}`;
  if (from.column === to.column) {
    // Straight down to the next lane; past others, around their right side.
    const bow = left + 10 + 7 * Math.min(Math.abs(to.lane - from.lane), 4);
    const next = to.y - from.y === CELL.height;
    path = next ? `M${from.x + BOX.width / 2} ${from.y + BOX.height}V${to.y}` : `M${left} ${middle(from)}C${bow} ${middle(from)} ${bow} ${middle(to)} ${left} ${middle(to)}`;
  }
  if (from.column > to.column) path = `M${from.x} ${middle(from)}H${to.x + BOX.width}`;
  // Every round is made of all rounds before it: such edges show when they are asked for.
  const far = to.column - from.column > 1;
  return svg("path", { class: `edge${far ? " far" : ""}`, d: path, "data-from": from.step.name, "data-to": to.step.name });
}

function node({ x, y, step }, steps, root) {
  const others = step.shared > 1 ? `, also of ${step.shared - 1} other ${step.shared === 2 ? "run" : "runs"}` : "";
  const said = `${step.name}, ${step.key}, ${step.state}${others}`;
  const light = (on) => highlight(root, on ? family(step.name, steps) : null);
  return svg("g", { class: `node ${step.state}`, "data-name": step.name, tabindex: "0", role: "img", "aria-label": said, transform: `translate(${x} ${y})`, onpointerenter: () => light(true), onpointerleave: () => light(false), onfocus: () => light(true), onblur: () => light(false) },
    svg("title", {}, said), svg("rect", { width: BOX.width, height: BOX.height, rx: 4 }), svg("text", { x: 10, y: 16 }, step.name),
    svg("text", { class: "key", x: 10, y: 30 }, step.state === "waiting" ? "to do" : step.key.slice(0, 8)), step.shared > 1 && svg("text", { class: "shared", x: BOX.width - 8, y: 30 }, `${step.shared} runs`));
}

/** All that a step was made of and all that was made of it. */
function family(name, steps) {
  const [up, down] = [new Set([name]), new Set([name])];
  for (const step of [...steps].reverse()) if (up.has(step.name)) step.parents.forEach((parent) => up.add(parent));
  for (const step of steps) if (step.parents.some((parent) => down.has(parent))) down.add(step.name);
  return { up, down };
}

function highlight(root, kin) {
  const has = (a, b) => kin !== null && ((kin.up.has(a) && kin.up.has(b)) || (kin.down.has(a) && kin.down.has(b)));
  root.classList.toggle("looking", kin !== null);
  for (const part of root.querySelectorAll(".node")) part.classList.toggle("lit", has(part.dataset.name, part.dataset.name));
  for (const part of root.querySelectorAll(".edge")) part.classList.toggle("lit", has(part.dataset.from, part.dataset.to));
}

/** Parents in few words: of many rounds' the first and the last. */
function inShort(parents) {
  const stages = [...new Set(parents.map((name) => name.split(".")[0]))];
  const words = stages.map((stage) => parents.filter((name) => name.split(".")[0] === stage));
  return words.map((names) => (names.length > 2 ? `${names[0]} … ${names.at(-1)}` : names.join(", "))).join(", ") || "–";
}

function table(steps) {
  const head = ["stage", "key", "state", "time", "size", "made", "runs on it", "made from"];
  return el("table", { class: "stages" }, el("thead", {}, el("tr", {}, head.map((word) => el("th", { scope: "col", class: ["time", "size", "runs on it"].includes(word) ? "n" : "" }, word)))),
    el("tbody", {}, [...steps].reverse().map((step) => {
      const known = ["ran", "cached"].includes(step.state);
      return el("tr", {}, el("th", { scope: "row" }, step.name), el("td", {}, el("code", {}, step.key)), el("td", {}, el("span", { class: `did ${step.state}` }, step.state)), el("td", { class: "n" }, duration(step.seconds)), el("td", { class: "n" }, known ? bytes(step.size) : "–"), el("td", {}, step.created ? moment(step.created) : "–"), el("td", { class: "n" }, step.shared || "–"), el("td", {}, inShort(step.parents)));
    })));
}
