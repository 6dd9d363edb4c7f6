// The table's columns: what each holds of a run, and which of the configs' keys are worth one.

/** The value of a run under a column's name or a config's key; null where it has none. */
export function valueOf(run, key, common = {}) {
  switch (key) {
    case "run": return run.name;
    case "state": return run.state;
    case "sweep": return run.sweep || null;
    case "started": return run.started || null;
    case "seconds": return ["finished", "failed"].includes(run.state) ? run.seconds : null;
    case "error": return run.error || null;
    case "awake": return run.scores.reality?.mean ?? null;
    case "dream": return run.scores.dream?.mean ?? null;
    case "random": return run.scores.random?.mean ?? null;
    case "gap": return gap(run);
    default: return run.metrics[key] ?? run.config[key] ?? common[key] ?? null;
  }
}

/** How much more the dream promises than reality pays. */
function gap(run) {
  const { dream, reality } = run.scores;
  return dream && reality ? dream.mean - reality.mean : null;
}

/** The names of what stages measured, in all runs together. */
export const metricsOf = (runs) => [...new Set(runs.flatMap((run) => Object.keys(run.metrics)))];

/** Whether the table has anything to say of scores: runs that have some, or none yet that measured something else. */
export const scoring = (runs) => runs.some((run) => Object.keys(run.scores).length > 0) || metricsOf(runs).length === 0;

/** One run of each result: what a command typed again, or a job of other words, found in the store counts once. */
export function distinct(runs) {
  const first = new Map();
  for (const run of runs) if (!first.has(run.result || run.name)) first.set(run.result || run.name, run);
  return [...first.values()];
}

/** What the distinct runs have in a column, without those that have nothing. */
export const known = (runs, key) => distinct(runs.filter((run) => valueOf(run, key) !== null)).map((run) => valueOf(run, key));

/** Order two values of a column: numbers as numbers, words as words, the missing last either way. */
export function compare(a, b, descending) {
  if (a === null || b === null) return (a === null) - (b === null);
  const [left, right] = [Number(a), Number(b)];
  const numbers = !Number.isNaN(left) && !Number.isNaN(right);
  const order = numbers ? left - right : String(a).localeCompare(String(b), undefined, { numeric: true });
  return descending ? -order : order;
}

// How a run is computed and where it lies: rarely what a person compares.
const ASIDE = /^(name$|paths|tracker|trainer|.*\.(workers|threads|devices?|accelerator|log_every|save_\w+))/;

/** Config keys that differ between runs, those first that people typed most, then those with most values. */
export function varyingKeys(runs) {
  const typed = new Map();
  const values = new Map();
  for (const run of runs) {
    for (const override of run.overrides) {
      const key = override.replace(/^[+~]+/, "").split("=", 1)[0];
      typed.set(key, (typed.get(key) ?? 0) + 1);
    }
    for (const [key, value] of Object.entries(run.config)) {
      if (!values.has(key)) values.set(key, new Set());
      values.get(key).add(value);
    }
  }
  const rank = (key) => [ASIDE.test(key) ? 1 : 0, -(typed.get(key) ?? 0), -values.get(key).size];
  return [...values.keys()]
    .map((key) => ({ key, rank: rank(key), typed: typed.has(key) && !ASIDE.test(key) }))
    .sort((a, b) => a.rank[0] - b.rank[0] || a.rank[1] - b.rank[1] || a.rank[2] - b.rank[2] || a.key.localeCompare(b.key));
}

/** What tells one configuration from another: all keys that differ but the seed and the machine. */
export function configurationOf(run, varying) {
  return varying
    .filter(({ key }) => key !== "seed" && !ASIDE.test(key) && run.config[key] !== undefined)
    .map(({ key, typed }) => ({ key, typed, value: run.config[key] }));
}

/** A run's name without its date: what a person would call it. */
export const shortName = (name) => name.replace(/^\d{8}-\d{6}-/, "");
