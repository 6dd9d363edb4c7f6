// The page: asks the server every two seconds what there is, keeps what the reader chose, and draws.

import { readAddress, writeAddress } from "./address.js";
import { compare, configurationOf, shortName, varyingKeys } from "./columns.js";
import { drawConfigs, drawGallery } from "./compare.js";
import { settle } from "./chart.js";
import { drawCurves, stagesOf } from "./curves.js";
import { el, MOST_CHOSEN, styleOf } from "./dom.js";
import { parse } from "./filter.js";
import { drawLineage } from "./lineage.js";
import { drawScatter } from "./scatter.js";
import { arrange, columnsFor, Table } from "./table.js";

const POLL = 2000;
const TABS = { curves: "Curves", scores: "Scores", configs: "Config diff", gallery: "Gallery", lineage: "Lineage" };
const NEEDS = { curves: "curves", gallery: "gallery", lineage: "lineage" };
const STATES = ["running", "finished", "failed", "stopped", "damaged"];
const $ = (id) => document.getElementById(id);

const view = readAddress(TABS);
const chosen = new Map(); // run's name → its slot, which is its colour
const remember = () => writeAddress(view, chosen);
const answers = new Map(); // address → { tag, body }: what was asked before
const asked = new Map(); // address → how its run stood then
let overview = null;
let varying = [];

/** Ask for JSON; null where nothing changed since the same was asked before. Throws if there is no answer. */
async function ask(address) {
  const known = answers.get(address);
  const response = await fetch(address, { cache: "no-store", headers: known ? { "If-None-Match": known.tag } : {} });
  if (response.status === 304) return null;
  if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
  const body = await response.json();
  answers.set(address, { tag: response.headers.get("ETag"), body });
  return body;
}

async function poll() {
  try {
    const news = await ask("/api/runs");
    $("connection").hidden = true;
    if (news !== null) take(news);
    if (await askForPanel() || news !== null) drawPanel();
  } catch (error) {
    $("connection").hidden = false;
    $("connection").textContent = `The dashboard does not answer (${error.message}). What you see is from before. To start it again: wmframe dashboard`;
  }
  setTimeout(poll, document.hidden ? 5 * POLL : POLL);
}

function take(news) {
  overview = news;
  overview.byName = new Map(news.runs.map((run) => [run.name, run]));
  for (const sweep of news.sweeps) for (const job of sweep.jobs) {
    const run = overview.byName.get(job.run);
    if (run) [run.sweep, run.job] = [sweep.name, job.number];
  }
  varying = varyingKeys(news.runs);
  if (chosen.size === 0) chooseAtFirst();
  for (const name of chosen.keys()) if (!overview.byName.has(name)) chosen.delete(name);
  if (!view.group) view.group = news.sweeps.length ? "sweep" : "none";
  drawTable();
}

/** What the address names; without it what runs now, else the newest run that has curves: a page that shows something. */
function chooseAtFirst() {
  const newest = [...overview.runs].sort((a, b) => compare(a.started, b.started, true));
  const running = newest.filter((run) => run.state === "running").slice(0, 6);
  const named = view.runs ?? (running.length ? running : newest.filter((run) => run.stages > 0).slice(0, 3)).map((run) => run.name);
  for (const name of named) if (overview.byName.has(name)) choose(name);
}

function choose(name) {
  const taken = new Set(chosen.values());
  const slot = [...Array(MOST_CHOSEN).keys()].find((candidate) => !taken.has(candidate));
  if (slot !== undefined) chosen.set(name, slot);
}

const act = {
  toggle(name) {
    if (!chosen.delete(name)) choose(name);
    changed();
  },
  toggleAll(names, on) {
    for (const name of names) on ? chosen.has(name) || choose(name) : chosen.delete(name);
    changed();
  },
  sortBy(key) {
    view.sort = { key, descending: view.sort.key === key ? !view.sort.descending : key !== "run" };
    drawTable();
    remember();
  },
};

function changed() {
  view.runs = [];
  remember();
  drawTable();
  refresh();
}

/** Fetch what the open tab lacks, then draw it. */
async function refresh() {
  drawPanel();
  if (await askForPanel().catch(() => false)) drawPanel();
}

/** Ask for the chosen runs' part of the open tab: again where the run has gone on since. */
async function askForPanel() {
  const kind = NEEDS[view.tab];
  if (!kind || !overview) return false;
  const wanted = [...chosen.keys()].filter((name) => {
    const { state, stages, page } = overview.byName.get(name);
    const [address, shown] = [addressOf(kind, name), `${state} ${stages} ${page}`];
    const news = state === "running" || asked.get(address) !== shown || kind === "lineage";
    asked.set(address, shown);
    return news;
  });
  const news = await Promise.all(wanted.map((name) => ask(addressOf(kind, name)).catch(() => {
    asked.delete(addressOf(kind, name)); // gone this moment: ask again
    return null;
  })));
  return news.some((body) => body !== null);
}

const addressOf = (kind, name) => `/api/${kind}/${encodeURIComponent(name)}`;

const visible = () => {
  const { test, unknown } = parse(view.filter, overview.runs, overview.common);
  const found = overview.runs.filter((run) => test(run));
  return { found, unknown, runs: found.filter((run) => view.states.size === 0 || view.states.has(run.state)) };
};

const shownKeys = () => (view.columns === null ? varying.filter(({ typed }) => typed).slice(0, 6).map(({ key }) => key) : varying.map(({ key }) => key).filter((key) => view.columns.has(key)));

const table = new Table($("runs"), act);

function drawTable() {
  const { found, unknown, runs } = visible();
  drawToolbar(found, unknown, runs);
  table.draw(arrange(runs, view, overview, varying), view, chosen, columnsFor(shownKeys(), overview.runs), overview.runs);
  const count = (state) => overview.runs.filter((run) => run.state === state).length;
  $("project").textContent = overview.project || "wmframe";
  document.title = `${count("running") ? `(${count("running")}) ` : ""}${overview.project} · wmframe`;
  const said = STATES.filter((state) => state !== "finished" && count(state)).map((state) => `${count(state)} ${state}`);
  $("summary").textContent = overview.runs.length === 0
    ? "No runs under runs/ yet. The first: wmframe run env=toy preset=smoke tracker=none"
    : [`${overview.runs.length} ${overview.runs.length === 1 ? "run" : "runs"}`, overview.sweeps.length && `${overview.sweeps.length} ${overview.sweeps.length === 1 ? "sweep" : "sweeps"}`, ...said].filter(Boolean).join(" · ");
  $("table-frame").hidden = overview.runs.length === 0;
  $("toolbar").hidden = overview.runs.length < 2;
  $("chosen").hidden = overview.runs.length === 0;
}

function drawToolbar(found, unknown, runs) {
  const states = STATES.filter((state) => found.some((run) => run.state === state));
  replace($("states"), [states.map((state) => [state, found.filter((run) => run.state === state).length]), [...view.states]], () => states.length < 2 && view.states.size === 0 ? [] : states.map((state) =>
    el("button", { type: "button", "aria-pressed": String(view.states.has(state)), onclick: () => { view.states.delete(state) || view.states.add(state); drawTable(); remember(); } }, el("span", { class: `state ${state}` }), `${state} ${found.filter((run) => run.state === state).length}`)));
  const groups = [["none", "nothing"], ...(overview.sweeps.length ? [["sweep", "sweep"]] : []), ["configuration", "all but the seed"], ...varying.slice(0, 30).map(({ key }) => [key, key])];
  replace($("group"), [groups, view.group], () => groups.map(([value, label]) => el("option", { value, selected: value === view.group }, label)));
  replace($("column-list"), [varying.map(({ key }) => key), shownKeys()], () => varying.map(({ key }) => el("label", {}, el("input", { type: "checkbox", checked: shownKeys().includes(key), onchange: (event) => {
    view.columns ??= new Set(shownKeys());
    event.target.checked ? view.columns.add(key) : view.columns.delete(key);
    drawTable();
    remember();
  } }), key)));
  $("columns").hidden = varying.length === 0;
  const hidden = overview.runs.length - runs.length;
  $("filter-note").textContent = [...unknown.map((key) => `No run has a key “${key}”.`), hidden ? `${runs.length} of ${overview.runs.length} runs` : "", chosen.size >= MOST_CHOSEN ? `No more than ${MOST_CHOSEN} runs are drawn at once.` : ""].filter(Boolean).join(" ");
  $("clear").disabled = chosen.size === 0;
}

const drawn = new WeakMap();

/** Replace an element's children, unless it would show the same again; whoever had the focus has it still. */
function replace(element, shown, make) {
  const signature = JSON.stringify(shown);
  if (drawn.get(element) === signature) return;
  drawn.set(element, signature);
  const index = [...element.querySelectorAll("button, input")].indexOf(document.activeElement);
  element.replaceChildren(...make());
  if (index >= 0) element.querySelectorAll("button, input")[index]?.focus();
}

/** What tells the chosen runs apart, else their names. */
function labels() {
  const runs = [...chosen.keys()].map((name) => overview.byName.get(name));
  const told = runs.map((run) => configurationOf(run, varying).concat(run.config.seed === undefined ? [] : [{ key: "seed", typed: true, value: run.config.seed }]).filter(({ typed }) => typed));
  const apart = told.map((pairs) => pairs.filter(({ key, value }) => runs.some((run) => run.config[key] !== value)).map(({ key, value }) => `${key.split(".").at(-1)} ${value}`).join(", "));
  const unique = new Set(apart).size === apart.length && apart.every(Boolean);
  return runs.map((run, index) => ({ run, slot: chosen.get(run.name), label: unique ? apart[index] : shortName(run.name) }));
}

function drawPanel() {
  if (!overview) return;
  const each = labels();
  replace($("legend"), each.map(({ run, slot, label }) => [run.name, slot, label, run.state]), () => each.map(legendItem));
  replace($("tabs"), view.tab, () => Object.entries(TABS).map(([tab, label]) => el("button", { type: "button", role: "tab", id: `tab-${tab}`, "aria-selected": String(view.tab === tab), "aria-controls": "panel", tabindex: view.tab === tab ? "0" : "-1", onclick: () => open(tab) }, label)));
  $("panel").setAttribute("aria-labelledby", `tab-${view.tab}`);
  PANELS[view.tab](each);
  settle();
}

function legendItem({ run, slot, label }) {
  const fade = (on) => document.querySelectorAll(".chart .line").forEach((line) => line.classList.toggle("aside", on && line.dataset.slot !== String(slot)));
  const drop = el("button", { type: "button", class: "quiet", "aria-label": `choose ${run.name} no longer`, onclick: () => act.toggle(run.name) }, "×");
  return el("li", { onpointerenter: () => fade(true), onpointerleave: () => fade(false), title: run.name }, el("span", { class: `swatch ${styleOf(slot)}` }), el("span", {}, label), run.state === "running" && el("span", { class: "state running", title: "running" }), drop);
}

function open(tab) {
  view.tab = tab;
  remember();
  refresh();
  $(`tab-${tab}`).focus();
}

const fetched = (kind, each) => each.map((one) => ({ ...one, [kind]: answers.get(addressOf(kind, one.run.name))?.body })).filter((one) => one[kind]);

const waiting = () => [el("p", { class: "note" }, chosen.size ? "Reading …" : "Choose runs in the table.")];

const PANELS = {
  curves(each) {
    const ready = fetched("curves", each);
    const tags = ready.map(({ run }) => answers.get(addressOf("curves", run.name)).tag);
    const options = { logX: view.logX, logY: view.logY, smoothing: view.smoothing, hidden: view.hidden };
    replace($("panel"), ["curves", ready.map(({ slot, label }) => [slot, label]), tags, view.logX, view.logY, view.smoothing, [...view.hidden]], () => ready.length === 0 ? waiting() : [curveTools(ready), ...drawCurves(ready, options).filter(Boolean)]);
  },
  scores(each) {
    const { runs } = visible();
    replace($("panel"), ["scores", view.x, view.y, runs.map((run) => [run.name, run.scores, run.metrics, run.config]), each.map(({ slot }) => slot)], () => drawScatter(runs, chosen, varying, view, (change) => { Object.assign(view, change); remember(); drawPanel(); }, act));
  },
  configs(each) {
    replace($("panel"), ["configs", view.all, overview.common, each.map(({ run, slot, label }) => [run.config, slot, label])], () => each.length === 0 ? waiting() : drawConfigs(each, overview.common, { all: view.all, onall: (all) => { view.all = all; drawPanel(); } }).filter(Boolean));
  },
  gallery(each) {
    const ready = fetched("gallery", each);
    replace($("panel"), ["gallery", ready.map(({ run, slot, label }) => [answers.get(addressOf("gallery", run.name)).tag, slot, label])], () => ready.length === 0 ? waiting() : drawGallery(ready));
  },
  lineage(each) {
    const ready = fetched("lineage", each);
    const shown = ready.find(({ run }) => run.name === view.focus) ?? ready[0];
    replace($("panel"), ["lineage", shown?.run, shown?.lineage, ready.map(({ label, slot }) => [label, slot])], () => !shown ? waiting() : [ready.length > 1 && picker(ready, shown), ...drawLineage(shown.lineage, shown.run)].filter(Boolean));
  },
};

function picker(ready, shown) {
  return el("div", { class: "tools", role: "group", "aria-label": "whose lineage" }, ready.map(({ run, slot, label }) => el("button", { type: "button", "aria-pressed": String(run === shown.run), onclick: () => { view.focus = run.name; drawPanel(); } }, el("span", { class: `swatch ${styleOf(slot)}` }), label)));
}

function curveTools(ready) {
  const set = (change) => { change(); remember(); drawPanel(); };
  const toggle = (key, label) => el("button", { type: "button", "aria-pressed": String(view[key]), onclick: () => set(() => { view[key] = !view[key]; }) }, label);
  const stages = stagesOf(ready);
  const smoothing = el("input", { type: "range", min: "0", max: "0.95", step: "0.05", value: view.smoothing, onchange: (event) => set(() => { view.smoothing = Number(event.target.value); }) });
  return el("div", { class: "tools", role: "group", "aria-label": "how curves are drawn" }, toggle("logY", "log y"), toggle("logX", "log x"), el("label", {}, "smooth ", smoothing), stages.length > 1 && stages.map((stage) => el("button", { type: "button", "aria-pressed": String(!view.hidden.has(stage)), onclick: () => set(() => { view.hidden.delete(stage) || view.hidden.add(stage); }) }, stage)));
}

$("tabs").addEventListener("keydown", (event) => {
  const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const names = Object.keys(TABS);
  if (way) open(names[(names.indexOf(view.tab) + way + names.length) % names.length]);
});
$("toolbar").addEventListener("submit", (event) => event.preventDefault());
$("filter").value = view.filter;
$("filter").addEventListener("input", (event) => { view.filter = event.target.value; drawTable(); remember(); if (view.tab === "scores") drawPanel(); });
$("group").addEventListener("change", (event) => { view.group = event.target.value; view.chosenGroup = true; drawTable(); remember(); });
$("clear").addEventListener("click", () => { chosen.clear(); changed(); });
poll();
