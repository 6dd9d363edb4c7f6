// The table of runs: sorted, grouped, and changed in place, so that focus and scroll survive what happens live.

import { compare, configurationOf, known, metricsOf, scoring, shortName, valueOf } from "./columns.js";
import { digits, duration, el, moment, number, placesFor, styleOf } from "./dom.js";
import { drawStrip, scaleOf } from "./strip.js";

const SCORES = [
  { key: "awake", label: "awake", title: "mean ± standard deviation over episodes in reality" },
  { key: "strip", label: "", title: "awake ●, in its dream ○, random policy |, on one axis for all runs" },
  { key: "dream", label: "dream", title: "mean return in its dream" },
  { key: "gap", label: "gap", title: "dream − awake: what the dream promises and reality does not pay" },
  { key: "random", label: "random", title: "mean return of the random policy" },
];
const TIMES = [
  { key: "seconds", label: "took", title: "wall time" },
  { key: "started", label: "begun", title: "when the run was begun" },
];

/** The table's columns, `keys` being the configs' keys that have one. */
export function columnsFor(keys, runs) {
  const plain = (key) => ({ key, label: key, title: key, config: true });
  const measured = metricsOf(runs).map((key) => ({ key, label: key, title: `${key}, as a stage measured it`, metric: true }));
  return [{ key: "run", label: "run", title: "run" }, ...(scoring(runs) ? SCORES : []), ...measured, ...keys.map(plain), ...TIMES];
}

/** Sort and group runs: a list of { id, title, sweep, runs, jobs }, one group without a title for no grouping. */
export function arrange(runs, view, overview, varying) {
  const ordered = [...runs].sort((a, b) => {
    const order = compare(valueOf(a, view.sort.key), valueOf(b, view.sort.key), view.sort.descending);
    return order || compare(a.name, b.name, true);
  });
  if (view.group === "none") return [{ id: "", title: "", runs: ordered, jobs: [] }];
  const groups = new Map();
  for (const run of ordered) {
    const { id, title } = groupOf(run, view.group, overview, varying);
    if (!groups.has(id)) groups.set(id, { id, title, runs: [], jobs: [] });
    groups.get(id).runs.push(run);
  }
  if (view.group === "sweep") addSweeps(groups, overview, view.filter === "");
  const listed = [...groups.values()];
  if (view.group === "sweep" || !(SUMMED.has(view.sort.key) || metricsOf(runs).includes(view.sort.key))) return listed;
  // By their means: the best single run of a group would put the luckiest first.
  return listed.sort((a, b) => compare(mean(a.runs, view.sort.key), mean(b.runs, view.sort.key), view.sort.descending));
}

function groupOf(run, by, overview, varying) {
  if (by === "sweep") return { id: run.sweep || "", title: run.sweep ? "" : "runs of no sweep" };
  if (by === "configuration") {
    const told = configurationOf(run, varying);
    const shown = told.filter(({ typed }) => typed);
    const title = (shown.length ? shown : told.slice(0, 3)).map(({ key, value }) => `${key.split(".").at(-1)}=${value}`).join(" ");
    return { id: JSON.stringify(told.map(({ key, value }) => [key, value])), title: title || "one configuration" };
  }
  const value = valueOf(run, by, overview.common);
  return { id: String(value), title: `${by}=${value ?? "–"}` };
}

/** Sweeps stand first, the newest on top; jobs that have no run to show are lines of their own. */
function addSweeps(groups, overview, whole) {
  const rest = groups.get("");
  const begun = [...groups];
  groups.clear();
  for (const sweep of overview.sweeps) {
    const found = begun.find(([id]) => id === sweep.name)?.[1];
    const jobs = whole ? sweep.jobs.filter((job) => !overview.byName.has(job.run)) : [];
    if (found || jobs.length || sweep.error) {
      groups.set(sweep.name, { id: sweep.name, title: sweep.title, sweep, runs: found?.runs ?? [], jobs });
    }
  }
  if (rest) groups.set("", rest);
}

/** Draws the table into `table` and keeps its rows. `act` has toggle(run), toggleAll(runs) and sortBy(key). */
export class Table {
  constructor(table, act) {
    [this.head, this.body] = [table.tHead, table.tBodies[0]];
    this.act = act;
    this.rows = new Map();
  }

  draw(groups, view, chosen, columns, everything) {
    this.scale = scaleOf(everything);
    this.places = placesFor(everything.flatMap((run) => Object.values(run.scores).map((score) => score.mean)));
    this.drawHead(columns, view.sort);
    const kept = new Map();
    for (const group of groups) {
      if (view.group !== "none") this.keep(kept, `group ${group.id}`, [group, columns, [...chosen.keys()]], () => this.groupRow(group, columns, chosen));
      for (const job of group.jobs) this.keep(kept, `job ${group.id} ${job.number}`, [job, columns], () => jobRow(job, columns));
      for (const run of group.runs) {
        const slot = chosen.get(run.name);
        this.keep(kept, `run ${run.name}`, [run, slot, columns, this.scale, this.places], () => this.runRow(run, slot, columns));
      }
    }
    this.rows = kept;
    this.place([...kept.values()].map(({ row }) => row));
  }

  /** Keep a row as it is unless something that it shows is new. */
  keep(kept, id, shown, make) {
    const signature = JSON.stringify(shown);
    const old = this.rows.get(id);
    kept.set(id, old?.signature === signature ? old : { signature, row: make() });
    if (old && old !== kept.get(id) && old.row.contains(document.activeElement)) this.focus = kept.get(id).row;
  }

  place(rows) {
    const there = this.body.children;
    if (rows.length !== there.length || rows.some((row, index) => row !== there[index])) this.body.replaceChildren(...rows);
    this.focus?.querySelector("input")?.focus({ preventScroll: true });
    this.focus = null;
  }

  drawHead(columns, sort) {
    const signature = JSON.stringify([columns, sort]);
    if (signature === this.headSignature) return;
    this.headSignature = signature;
    const focused = document.activeElement?.dataset?.key;
    this.head.replaceChildren(el("tr", {}, el("th", { class: "pick" }, el("span", { class: "unseen" }, "chosen")), ...columns.map((column) => this.headCell(column, sort))));
    if (focused) [...this.head.querySelectorAll("button")].find((button) => button.dataset.key === focused)?.focus();
  }

  headCell(column, sort) {
    if (column.key === "strip") return el("th", { class: "strip", title: column.title }, el("span", { class: "unseen" }, column.title));
    const sorted = sort.key === column.key;
    const label = column.config ? dotted(column.label) : column.label;
    const button = el("button", { type: "button", title: column.title, "data-key": column.key, onclick: () => this.act.sortBy(column.key) }, label, el("span", { class: "arrow", "aria-hidden": "true" }, sorted ? (sort.descending ? " ↓" : " ↑") : ""));
    return el("th", { scope: "col", class: classOf(column), "aria-sort": sorted ? (sort.descending ? "descending" : "ascending") : null }, button);
  }

  groupRow(group, columns, chosen) {
    const names = group.runs.map((run) => run.name);
    const all = names.length > 0 && names.every((name) => chosen.has(name));
    const pick = names.length > 0 && el("input", { type: "checkbox", checked: all, "aria-label": `choose all of ${group.title || group.id}`, onchange: () => this.act.toggleAll(names, !all) });
    const cells = columns.slice(1).map((column) => el("td", { class: classOf(column) }, column.metric ? digits(mean(group.runs, column.key)) : SUMMED.has(column.key) ? meanOf(group.runs, column.key, this.places) : ""));
    const title = el("th", { scope: "rowgroup", class: "name" }, el("strong", {}, group.title || group.id), el("small", {}, countsOf(group)), group.sweep?.error && el("small", { class: "wrong" }, group.sweep.error));
    return el("tr", { class: "group", title: group.sweep?.command }, el("td", { class: "pick" }, pick), title, ...cells);
  }

  runRow(run, slot, columns) {
    const picked = slot !== undefined;
    const toggle = () => this.act.toggle(run.name);
    const box = el("input", { type: "checkbox", checked: picked, "aria-label": `choose ${run.name}`, onchange: toggle });
    const pick = el("td", { class: `pick ${picked ? styleOf(slot) : ""}` }, box);
    const row = el("tr", { class: `run ${run.state}${picked ? " picked" : ""}`, "data-run": run.name }, pick, ...columns.map((column) => this.cell(run, column)));
    // A click anywhere in the row is one on its box; links and selected text are left alone.
    row.addEventListener("click", (event) => {
      if (!event.target.closest("a, input, summary") && getSelection().isCollapsed) toggle();
    });
    return row;
  }

  cell(run, column) {
    if (column.metric) return el("td", { class: "n" }, digits(valueOf(run, column.key)));
    switch (column.key) {
      case "run": return nameCell(run);
      case "strip": return el("td", { class: "strip" }, drawStrip(run, this.scale, this.places));
      case "awake": return el("td", { class: "n score" }, ...spread(run.scores.reality, this.places));
      case "dream": case "gap": case "random": return el("td", { class: "n" }, number(valueOf(run, column.key), this.places));
      case "seconds": return el("td", { class: "n" }, run.state === "running" ? "" : duration(valueOf(run, "seconds")));
      case "started": return el("td", { class: "when", title: run.started }, moment(run.started));
      default: return el("td", { class: classOf(column) }, valueOf(run, column.key) ?? "–");
    }
  }
}

const SUMMED = new Set(["awake", "dream", "gap", "random"]);

const classOf = (column) => (column.config ? "config" : column.key === "run" ? "name" : column.key === "started" ? "when" : column.key === "strip" ? "strip" : "n");

/** Allow a long key to break after its dots. */
const dotted = (key) => key.split(/(?<=\.)/).flatMap((part, index) => (index ? [el("wbr"), part] : [part]));

function mean(runs, key) {
  const values = known(runs, key);
  return values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : null;
}

const results = (count) => `${count} training run${count === 1 ? "" : "s"}, the same result counted once`;

function meanOf(runs, key, places) {
  if (mean(runs, key) === null) return "";
  return el("span", { title: `mean of the means of ${results(known(runs, key).length)}` }, key === "awake" && el("small", {}, "mean "), number(mean(runs, key), places));
}

function countsOf(group) {
  const states = group.sweep && !group.sweep.error ? { ...group.sweep.states } : {};
  if (!group.sweep) for (const run of group.runs) states[run.state] = (states[run.state] ?? 0) + 1;
  const total = Object.values(states).reduce((sum, count) => sum + count, 0);
  const noun = group.sweep ? "job" : "run";
  const parts = Object.entries(states).filter(([state]) => state !== "finished").map(([state, count]) => `${count} ${state}`);
  return total ? `${total} ${noun}${total === 1 ? "" : "s"}${parts.length ? `: ${parts.join(", ")}` : ""}` : "";
}

function spread(score, places) {
  if (!score) return ["–"];
  return [el("b", {}, number(score.mean, places)), score.std === null ? "" : el("span", { class: "sd" }, ` ± ${number(score.std, places)}`)];
}

function nameCell(run) {
  const title = run.page
    ? el("a", { href: `/runs/${encodeURIComponent(run.name)}/report.html`, target: "_blank", rel: "noopener", title: `${run.name}: its page` }, shortName(run.name))
    : el("span", { title: run.name }, shortName(run.name));
  const state = el("span", { class: `state ${run.state}`, title: run.state }, el("span", { class: "unseen" }, run.state));
  return el("th", { scope: "row", class: "name" }, state, title, progress(run), run.error && run.state !== "running" && el("small", { class: "wrong", title: run.error }, `${run.state}: ${run.error}`), run.state === "stopped" && el("small", { class: "wrong" }, "stopped: the same command goes on from there"));
}

/** What a run does now: its stage, how far that is, and about how long to go. */
function progress(run) {
  if (run.state !== "running") return null;
  if (!run.live) return el("small", {}, `after ${run.stages} stages`);
  const { name, number: nth, stages, done, total, unit, seconds_left: left } = run.live;
  const inside = done !== null && total ? Math.min(done / total, 1) : 0;
  const count = done === null ? "" : total ? ` · ${done}/${total} ${unit}` : ` · ${done} ${unit}`;
  const text = `${name}, stage ${nth} of ${stages}${count}${left === null ? "" : ` · about ${duration(left)} to its end`}`;
  return [el("progress", { max: stages, value: nth - 1 + inside, "aria-label": `progress of ${run.name}` }), el("small", { class: "live" }, text)];
}

function jobRow(job, columns) {
  const told = job.overrides.join(" ") || `job ${job.number}`;
  const name = el("th", { scope: "row", class: "name" }, el("span", { class: `state ${job.state}`, title: job.state }), `job ${job.number}`, el("small", {}, `${job.state}: ${told}`), job.error && el("small", { class: "wrong", title: job.error }, job.error));
  return el("tr", { class: "job" }, el("td", { class: "pick" }), name, ...columns.slice(1).map((column) => {
    const value = job.overrides.find((override) => override.startsWith(`${column.key}=`))?.slice(column.key.length + 1);
    return el("td", { class: classOf(column) }, column.config ? value ?? "" : "");
  }));
}
