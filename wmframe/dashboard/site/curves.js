// The curves of the chosen runs, one chart a metric, in the order of the stages.

import { chart } from "./chart.js";
import { el } from "./dom.js";

const STAGES = { collect: "Data", vision: "V", latents: "V", memory: "M", controller: "C", evaluate: "Score" };
const NAMES = {
  "vision/squared_error": "reconstruction, squared error",
  "vision/kl": "divergence, nats",
  "memory/nll": "next latent, NLL",
  "memory/reward_error": "reward, squared error",
  "memory/done_loss": "done, logistic loss",
  "memory/value_error": "value, squared error",
  "controller/select_return": "mean of the distribution, select seeds",
  "controller/fitness_mean": "population's mean fitness",
  "controller/fitness_best": "population's best (lucky)",
  "controller/fitness_std": "population's spread",
  "controller/climbed_return": "climbing by gradient, select seeds",
  "controller/dreamt_return": "climbing by gradient, new dreams",
  "controller/dreamt_worth": "climbing by gradient, what new dreams are worth to it",
  "controller/gradient_norm": "gradient's norm, before clipping",
};
const ORDER = Object.keys(NAMES);

export const stagesOf = (all) => {
  const found = new Set(all.flatMap(({ curves }) => Object.keys(curves.columns).map((metric) => metric.split("/")[0])));
  return Object.keys(STAGES).filter((stage) => found.has(stage)).concat([...found].filter((stage) => !(stage in STAGES)));
};

/** Charts of `chosen`, each { label, slot, curves }; `options` as of a chart, and `stages` to leave out. */
export function drawCurves(chosen, options) {
  const figures = figuresOf(chosen)
    .filter(({ stage }) => !options.hidden.has(stage))
    .map((figure) => chart({ ...figure, options, marks: chosen.length === 1 ? chosen[0].curves.rounds[figure.stage] ?? [] : [] }));
  const errors = chosen.flatMap(({ curves, label }) => curves.errors.map((error) => el("p", { class: "wrong" }, `${label}: ${error}`)));
  const none = figures.length === 0 && el("p", { class: "note" }, chosen.length ? "No curves yet." : "Choose runs in the table.");
  return [...errors, none, el("div", { class: "charts" }, figures)];
}

/** One figure a metric; what was measured on held-out episodes and on those fitted on shares one. */
function figuresOf(chosen) {
  const metrics = [...new Set(chosen.flatMap(({ curves }) => Object.keys(curves.columns)))];
  const heldOut = (metric) => metric.replace("/", "/held_out_");
  const twins = new Set(metrics.filter((metric) => metrics.includes(heldOut(metric))));
  const alone = metrics.filter((metric) => ![...twins].some((twin) => heldOut(twin) === metric));
  return alone.sort((a, b) => place(a) - place(b) || a.localeCompare(b)).map((metric) => {
    const stage = metric.split("/")[0];
    const both = twins.has(metric);
    const lines = [
      ...(both ? linesOf(chosen, metric, true) : []),
      ...linesOf(chosen, both ? heldOut(metric) : metric, false),
    ];
    const title = `${STAGES[stage] ?? stage}: ${NAMES[metric] ?? metric.split("/")[1].replaceAll("_", " ")}`;
    return { title, metric, stage, lines, xLabel: stage === "controller" ? "generations" : "steps", note: [both && "Strong: held-out episodes. Faint: those it was fitted on.", sharing(lines)].filter(Boolean).join(" ") };
  });
}

const linesOf = (chosen, metric, faint) => chosen
  .filter(({ curves }) => metric in curves.columns)
  .map(({ label, slot, curves }) => ({ label, slot, faint, ...curves.columns[metric] }));

/** Runs that share a result have the same line: the one on top would else seem to be alone. */
function sharing(lines) {
  const different = new Set(lines.filter(({ faint }) => !faint).map(({ x, y }) => JSON.stringify([x, y]))).size;
  const drawn = lines.filter(({ faint }) => !faint).length;
  return different < drawn ? `${drawn} runs, ${different} different ${different === 1 ? "line" : "lines"}: the others share a result.` : "";
}

function place(metric) {
  const stage = Object.keys(STAGES).indexOf(metric.split("/")[0]);
  const known = ORDER.indexOf(metric);
  return (stage < 0 ? 99 : stage) * 100 + (known < 0 ? 99 : known);
}
