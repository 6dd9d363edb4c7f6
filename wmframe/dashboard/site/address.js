// What the reader chose stands in the address, so that a reload or a bookmark brings it back.

/** Read the view off the address; `tabs` are those that there are. */
export function readAddress(tabs) {
  const given = new URLSearchParams(location.hash.slice(1));
  const [key, way] = (given.get("sort") ?? "started,down").split(",");
  return {
    sort: { key, descending: way !== "up" },
    filter: given.get("filter") ?? "",
    states: new Set((given.get("states") ?? "").split(",").filter(Boolean)),
    group: given.get("group") ?? "",
    chosenGroup: given.has("group"), // else it is by sweep where there are sweeps
    tab: given.get("tab") in tabs ? given.get("tab") : "curves",
    runs: given.has("runs") ? given.getAll("runs") : null,
    columns: given.has("columns") ? new Set(given.getAll("columns")) : null,
    x: given.get("x") ?? "dream",
    y: given.get("y") ?? "awake",
    logX: given.has("logx"),
    logY: given.has("logy"),
    smoothing: Number(given.get("smooth")) || 0,
    all: false, hidden: new Set(), focus: null,
  };
}

/** Write it back, without what is as it would be anyway. */
export function writeAddress(view, chosen) {
  const told = new URLSearchParams();
  const many = (name, values) => (values.length ? values.forEach((value) => told.append(name, value)) : told.set(name, ""));
  if (view.sort.key !== "started" || !view.sort.descending) told.set("sort", `${view.sort.key},${view.sort.descending ? "down" : "up"}`);
  if (view.filter) told.set("filter", view.filter);
  if (view.states.size) told.set("states", [...view.states].join(","));
  if (view.chosenGroup) told.set("group", view.group);
  if (view.tab !== "curves") told.set("tab", view.tab);
  if (view.runs !== null) many("runs", [...chosen.keys()]);
  if (view.columns !== null) many("columns", [...view.columns]);
  if (view.x !== "dream") told.set("x", view.x);
  if (view.y !== "awake") told.set("y", view.y);
  if (view.logX) told.set("logx", "");
  if (view.logY) told.set("logy", "");
  if (view.smoothing) told.set("smooth", view.smoothing);
  history.replaceState(null, "", `#${told}`);
}
