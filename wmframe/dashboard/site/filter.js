// What is typed into the filter, as a test of runs: every word must be found, every key=value must hold.

import { metricsOf, valueOf } from "./columns.js";

const TERM = /(?:"([^"]*)"|(\S+))/g;
const PAIR = /^([\w./]+)(!=|>=|<=|=|>|<)(.*)$/;

/** Turn the text into { test(run), unknown }, `unknown` being the keys that no run has. */
export function parse(text, runs, common) {
  const terms = [...text.matchAll(TERM)].map((match) => match[1] ?? match[2]);
  const keys = new Set(runs.flatMap((run) => Object.keys(run.config)).concat(Object.keys(common), metricsOf(runs)));
  const unknown = [];
  const tests = terms.map((term) => {
    const pair = PAIR.exec(term);
    if (pair === null) return (run) => haystack(run).includes(term.toLowerCase());
    const [, name, operator, wanted] = pair;
    const found = resolve(name, keys);
    if (found.length === 0) unknown.push(name);
    // Of several keys that end so, one that holds is enough; for != all must.
    const every = operator === "!=";
    return (run) => found[every ? "every" : "some"]((key) => holds(valueOf(run, key, common), operator, wanted));
  });
  return { test: (run) => tests.every((test) => test(run)), unknown };
}

const OWN = ["run", "state", "sweep", "awake", "dream", "random", "gap", "started", "seconds", "error"];

/** The keys that a typed name may mean: one of the table's own, a whole key, or the end of some. */
function resolve(name, keys) {
  if (OWN.includes(name) || keys.has(name)) return [name];
  return [...keys].filter((key) => key.endsWith(`.${name}`) || key.endsWith(`/${name}`));
}

function haystack(run) {
  return [run.name, run.state, run.sweep, run.error, ...run.overrides].join("\n").toLowerCase();
}

function holds(value, operator, wanted) {
  if (value === null || value === undefined) return operator === "!=";
  const [left, right] = [Number(value), Number(wanted)];
  const numbers = wanted !== "" && !Number.isNaN(left) && !Number.isNaN(right);
  const equal = numbers ? left === right : String(value).replaceAll('"', "").toLowerCase() === wanted.toLowerCase();
  switch (operator) {
    case "=": return equal;
    case "!=": return !equal;
    case ">": return numbers && left > right;
    case "<": return numbers && left < right;
    case ">=": return numbers && left >= right;
    default: return numbers && left <= right;
  }
}
