// A run's scores as a few marks on a line.

import { number, svg } from "./dom.js";

/** The range that all strips share. */
export function scaleOf(runs) {
  const ends = runs.flatMap((run) => Object.entries(run.scores).flatMap(([world, { mean, std }]) => (world === "reality" && std !== null ? [mean - std, mean + std] : [mean])));
  return ends.length ? [Math.min(...ends), Math.max(...ends)] : [0, 1];
}

const WIDE = 120;

/** Awake, dream and random on one line: the gap is what lies between the two circles. */
export function drawStrip(run, [low, high], places) {
  const { reality, dream, random } = run.scores;
  if (!reality && !dream && !random) return "";
  const x = (value) => (6 + ((WIDE - 12) * (value - low)) / (high - low || 1)).toFixed(1);
  const said = [["awake", reality], ["dream", dream], ["random", random]].filter(([, score]) => score).map(([word, score]) => `${word} ${number(score.mean, places)}`).join(", ");
  return svg("svg", { viewBox: `0 0 ${WIDE} 20`, role: "img", "aria-label": said }, svg("title", {}, said),
    random && svg("line", { class: "random", x1: x(random.mean), x2: x(random.mean), y1: 4, y2: 16 }),
    reality && dream && svg("line", { class: "apart", x1: x(reality.mean), x2: x(dream.mean), y1: 10, y2: 10 }),
    reality && reality.std !== null && svg("line", { class: "spread", x1: x(reality.mean - reality.std), x2: x(reality.mean + reality.std), y1: 10, y2: 10 }),
    dream && svg("circle", { class: "dream", cx: x(dream.mean), cy: 10, r: 3.5 }),
    reality && svg("circle", { class: "reality", cx: x(reality.mean), cy: 10, r: 4 }));
}
