// The chosen runs side by side: their configs, keys that are equal left out, and their pictures.

import { valueOf } from "./columns.js";
import { el, styleOf } from "./dom.js";

const heading = ({ label, slot, run }) => el("th", { scope: "col", title: run.name }, el("span", { class: `swatch ${styleOf(slot)}` }), label);

/** A table of the keys that differ, or of all. */
export function drawConfigs(chosen, common, { all, onall }) {
  const readable = chosen.filter(({ run }) => run.state !== "damaged");
  const keys = [...new Set([...Object.keys(common), ...readable.flatMap(({ run }) => Object.keys(run.config))])].sort();
  const rows = keys.map((key) => ({ key, values: readable.map(({ run }) => valueOf(run, key, common)) }));
  const differing = rows.filter(({ values }) => new Set(values).size > 1);
  const one = readable.length === 1;
  const shown = all || one ? rows : differing;
  const box = el("input", { type: "checkbox", checked: all, onchange: (event) => onall(event.target.checked) });
  const said = one ? `All ${rows.length} keys. Choose a second run to see what differs.` : `${differing.length} ${differing.length === 1 ? "key differs" : "keys differ"}, ${rows.length - differing.length} are equal. `;
  return [
    el("p", { class: "note" }, said, !one && el("label", {}, box, " show equal keys too")),
    shown.length > 0 && el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "configs" }, el("table", { class: "configs" },
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "key"), readable.map(heading))),
      el("tbody", {}, shown.map(({ key, values }) => el("tr", { class: new Set(values).size > 1 ? "differs" : "" }, el("th", { scope: "row" }, el("code", {}, key)), values.map((value) => el("td", {}, value === null ? el("i", {}, "none") : value))))))),
  ];
}

/** Pictures under the headings of the runs' pages, the runs below each other. */
export function drawGallery(chosen) {
  const titles = [...new Set(chosen.flatMap(({ gallery }) => gallery.groups.map(({ title }) => title)))];
  if (titles.length === 0) return [el("p", { class: "note" }, "No pictures yet: a run has them once its page is written, and films of its rounds, if it has several, or after ", el("code", {}, "wmframe watch RUN"), ".")];
  return titles.map((title) => el("section", { class: "gallery" }, el("h3", {}, title), el("div", { class: "runs" }, chosen.map((each) => strip(each, title)))));
}

function strip({ label, slot, run, gallery }, title) {
  const group = gallery.groups.find((candidate) => candidate.title === title);
  if (!group) return null;
  // The page's first picture of a kind may be its film: as wide as it is, among tiles.
  const kind = group.pictures.every(isFilm) ? "films" : "tiles";
  return el("figure", {}, el("figcaption", {}, el("span", { class: `swatch ${styleOf(slot)}` }), label), el("div", { class: kind }, group.pictures.map((picture) => image(picture, run))));
}

const isFilm = ({ source, still }) => still !== "" || !source.startsWith("data:");

function image({ source, alt, still }, run) {
  const film = isFilm({ source, still });
  const address = source.startsWith("data:image/") ? source : `/runs/${encodeURIComponent(run.name)}/${source.split("/").map(encodeURIComponent).join("/")}`;
  const picture = el("img", { src: address, alt, title: alt, loading: "lazy", class: film ? "film" : "tile" });
  return still ? el("picture", {}, el("source", { media: "(prefers-reduced-motion: reduce)", srcset: still }), picture) : picture;
}
