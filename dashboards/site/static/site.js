// What pages do: theme, tabs, charts, sorting, and, where they are served, filters. All words and numbers come written
// from the server; this file places them. It makes elements and sets text, and never builds HTML out of data.
"use strict";

const KEPT = "meta-ads-theme";
const root = document.documentElement;

function remembered() {
  try { return localStorage.getItem(KEPT); } catch { return null; } // Reason: pages on disk may have no storage.
}
function showTheme(theme) {
  root.dataset.theme = theme;
  document.getElementById("theme")?.setAttribute("aria-pressed", String(theme === "dark"));
}
const systemDark = matchMedia("(prefers-color-scheme: dark)");
showTheme(remembered() ?? (systemDark.matches ? "dark" : "light"));
systemDark.addEventListener("change", () => remembered() ?? showTheme(systemDark.matches ? "dark" : "light"));

function make(tag, properties = {}, ...children) {
  const { dataset, aria, ...own } = properties;
  const element = Object.assign(document.createElement(tag), own);
  for (const [name, value] of Object.entries(aria ?? {})) element.setAttribute(`aria-${name}`, value);
  element.append(...children);
  return element;
}
const parsed = (element) => JSON.parse(element.textContent);

// --- charts ---------------------------------------------------------------------------------------------------------
let page = null;
let vegaLoading = null;
function vega() {
  vegaLoading ??= new Promise((resolve, reject) => {
    document.head.append(make("script", { src: page.vega, onload: () => resolve(window.vegaEmbed), onerror: reject }));
  });
  return vegaLoading;
}

async function draw(body) {
  const figure = body.querySelector(":scope > .chart");
  if (!figure || figure.dataset.drawn) return;
  figure.dataset.drawn = "yes";
  const [spec, links] = [parsed(body.querySelector(".spec")), parsed(body.querySelector(".links"))];
  const embed = await vega();
  const options = {
    actions: false, renderer: "svg", ast: true, defaultStyle: false, mode: "vega-lite",
    tooltip: { disableDefaultStyle: true, theme: "own" },
    formatLocale: page.formatLocale, timeFormatLocale: page.timeFormatLocale,
    // Reason: nothing in a chart may be fetched; all of its data are in the page.
    loader: { load: () => Promise.reject(new Error("nothing is loaded")) },
  };
  // Reason: the figure says in words what it shows; what Vega says of each shape is noise, and partly wrong.
  const drawing = make("div", { className: "drawing", aria: { hidden: "true" } });
  figure.replaceChildren(drawing);
  const { view } = await embed(drawing, spec, options);
  const target = (item) => links[item?.datum?.n];
  view.addEventListener("click", (_, item) => { if (target(item)) location.assign(target(item)); });
  if (Object.keys(links).length) figure.classList.add("linked");
}
function drawVisible(container) {
  for (const body of container.querySelectorAll(".body")) {
    if (body.closest("[hidden]") === null) draw(body).catch((problem) => console.error(problem));
  }
}

// --- cards ----------------------------------------------------------------------------------------------------------
function switchToTable(button) {
  const body = button.closest(".body");
  const asTable = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", String(asTable));
  button.textContent = asTable ? "Show as chart" : "Show as table";
  body.querySelector(".chart").hidden = asTable;
  body.querySelector(".as-table").hidden = !asTable;
}
function sortBy(button) {
  const head = button.closest("th");
  const table = head.closest("table");
  const place = head.cellIndex;
  const rows = [...table.tBodies[0].rows];
  const first = head.classList.contains("num") ? "descending" : "ascending";
  const other = first === "descending" ? "ascending" : "descending";
  const direction = head.getAttribute("aria-sort") === first ? other : first;
  for (const one of head.parentElement.cells) one.setAttribute("aria-sort", "none");
  head.setAttribute("aria-sort", direction);
  const sign = direction === "ascending" ? 1 : -1;
  const key = (row) => row.cells[place].dataset.order;
  const isNumber = head.classList.contains("num");
  rows.sort((a, b) => {
    const [one, two] = [key(a), key(b)];
    if (one === "" || two === "") return (one === "") - (two === ""); // NULL is last, whatever the direction.
    return sign * (isNumber ? one - two : one.localeCompare(two));
  });
  table.tBodies[0].append(...rows);
}
document.addEventListener("click", (event) => {
  const button = event.target.closest?.("button");
  if (button?.classList.contains("switch")) switchToTable(button);
  else if (button?.closest("th")) sortBy(button);
  for (const about of document.querySelectorAll(".about[open]")) {
    if (!about.contains(event.target)) about.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") for (const about of document.querySelectorAll(".about[open]")) about.open = false;
});

// --- tabs -----------------------------------------------------------------------------------------------------------
const tabs = () => [...document.querySelectorAll('[role="tab"]')];
const panelOf = (key) => document.getElementById(`panel-${key}`);
const firstTab = () => document.querySelector(".panel").dataset.tab;
function tabInAddress() {
  const asked = new URLSearchParams(location.search).get("tab");
  return asked !== null && panelOf(asked) ? asked : firstTab();
}
function showTab(key) {
  for (const tab of tabs()) {
    const isChosen = tab.id === `tab-${key}`;
    tab.setAttribute("aria-selected", String(isChosen));
    tab.tabIndex = isChosen ? 0 : -1;
  }
  for (const panel of document.querySelectorAll(".panel")) panel.hidden = panel.dataset.tab !== key;
  drawVisible(document);
}
function address(values, tab) {
  const query = new URLSearchParams();
  if (tab !== firstTab()) query.append("tab", tab);
  for (const [name, value] of values) query.append(name, value);
  const text = query.toString();
  return location.pathname + (text ? `?${text}` : "");
}
function goToTab(key) {
  if (key === tabInAddress()) return;
  history.pushState(null, "", address(filterPairs(), key));
  arrive();
}
function prepareTabs() {
  for (const tab of tabs()) tab.addEventListener("click", () => goToTab(tab.id.slice(4)));
  document.querySelector('[role="tablist"]')?.addEventListener("keydown", (event) => {
    const all = tabs();
    const at = all.indexOf(document.activeElement);
    const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    const chosen = all[(next + all.length) % all.length];
    chosen.focus();
    goToTab(chosen.id.slice(4));
  });
}

// --- filters --------------------------------------------------------------------------------------------------------
const filterPairs = () => [...new URLSearchParams(location.search)].filter(([name]) => name !== "tab");
const pairsOf = (key) => filterPairs().filter(([name]) => name === key).map(([, value]) => value);
const given = (filter) => {
  const found = pairsOf(filter.key);
  return found.length ? found.filter((one) => one !== "") : filter.default === null ? [] : [filter.default];
};
function setFilter(filter, values) {
  const others = filterPairs().filter(([name]) => name !== filter.key);
  const isDefault = filter.default === null ? !values.length : values.length === 1 && values[0] === filter.default;
  const own = isDefault ? [] : values.length ? values.map((one) => [filter.key, one]) : [[filter.key, ""]];
  const order = page.filters.map((one) => one.key);
  const all = [...others, ...own].sort((a, b) => order.indexOf(a[0]) - order.indexOf(b[0]));
  history.pushState(null, "", address(all, tabInAddress()));
  arrive();
}
function inWords(filter, values) {
  if (!values.length) return filter.kind === "period" || filter.kind === "day" ? "All days" : "All";
  if (filter.kind === "period") {
    const known = page.dates.find(([form]) => form === values[0]);
    return known ? known[1] : values[0].replace("~", " to ");
  }
  return values.length > 2 ? `${values.length} chosen` : values.join(", ");
}
function closeDrops(focus) {
  for (const button of document.querySelectorAll('.filter > button[aria-expanded="true"]')) {
    button.setAttribute("aria-expanded", "false");
    button.parentElement.querySelector(".drop")?.remove();
    if (focus) button.focus();
  }
}
function openDrop(filter, holder, button) {
  closeDrops(false);
  const drop = make("div", { className: "drop", id: `drop-${filter.key}` });
  drop.setAttribute("role", "dialog");
  drop.setAttribute("aria-label", filter.title);
  (filter.kind === "period" ? fillPeriod : fillChoices)(filter, drop);
  if (filter.about) drop.append(make("p", { className: "hint", textContent: filter.about }));
  holder.append(drop);
  if (drop.getBoundingClientRect().right > innerWidth - 8) drop.classList.add("right");
  button.setAttribute("aria-expanded", "true");
  drop.querySelector("input:checked, input")?.focus();
}
function fillPeriod(filter, drop) {
  const now = given(filter)[0] ?? "";
  const choose = (value) => { closeDrops(true); setFilter(filter, value === "" ? [] : [value]); };
  const options = [["", "All days"], ...page.dates].map(([form, words]) => {
    const radio = make("input", { type: "radio", name: `choice-${filter.key}`, value: form, checked: form === now });
    radio.addEventListener("click", (event) => { if (event.detail) choose(form); });
    return make("label", {}, radio, make("span", { textContent: words }));
  });
  const [from, to] = /^\d{4}-\d\d-\d\d~\d{4}-\d\d-\d\d$/.test(now) ? now.split("~") : ["", ""];
  const first = make("input", { type: "date", value: from });
  const last = make("input", { type: "date", value: to });
  const range = make("div", { className: "range" },
    make("label", {}, "From", first), make("label", {}, "To", last));
  const hint = make("p", { className: "hint", hidden: true });
  hint.setAttribute("role", "alert");
  const apply = make("button", { type: "button", className: "strong", textContent: "Apply" });
  apply.addEventListener("click", () => {
    if (first.value && last.value && first.value > last.value) {
      hint.textContent = "The first day lies after the last."; hint.hidden = false; return;
    }
    if (first.value && last.value) { choose(`${first.value}~${last.value}`); return; }
    choose(drop.querySelector("input[type=radio]:checked")?.value ?? "");
  });
  // Reason: with an own range chosen, one of the usual ones takes its place.
  drop.addEventListener("change", (event) => { if (event.target.type === "radio") first.value = last.value = ""; });
  drop.append(
    make("fieldset", { className: "periods" }, make("legend", { className: "unseen", textContent: filter.title }), ...options),
    range, hint, make("div", { className: "actions" }, make("span"), apply));
}
const SHOWN = 200;
function fillChoices(filter, drop) {
  const chosen = new Set(given(filter));
  const search = make("input", { type: "search", placeholder: "Search", autocomplete: "off" });
  search.setAttribute("aria-label", `Search ${filter.title}`);
  const list = make("fieldset", {});
  const show = () => {
    const text = search.value.trim().toLocaleLowerCase();
    const known = [...new Set([...chosen, ...filter.choices])];
    const found = known.filter((one) => one.toLocaleLowerCase().includes(text));
    const typed = search.value.trim();
    if (typed && !found.includes(typed) && (filter.free || !found.length)) found.push(typed);
    list.replaceChildren(make("legend", { className: "unseen", textContent: filter.title }),
      ...found.slice(0, SHOWN).map((one) => {
        const box = make("input", { type: "checkbox", value: one, checked: chosen.has(one) });
        box.addEventListener("change", () => (box.checked ? chosen.add(one) : chosen.delete(one)));
        return make("label", {}, box, make("span", { textContent: one }));
      }));
    if (found.length > SHOWN) {
      list.append(make("p", { className: "hint", textContent: `${found.length - SHOWN} more: type to find them.` }));
    }
  };
  search.addEventListener("input", show);
  show();
  const apply = make("button", { type: "button", className: "strong", textContent: "Apply" });
  const none = make("button", { type: "button", className: "plain", textContent: "Clear" });
  apply.addEventListener("click", () => { closeDrops(true); setFilter(filter, [...chosen]); });
  none.addEventListener("click", () => { closeDrops(true); setFilter(filter, []); });
  drop.append(search, list, make("div", { className: "actions" }, none, apply));
  drop.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.tagName === "INPUT") { event.preventDefault(); apply.click(); }
  });
}
function fillFilter(filter) {
  const holder = document.querySelector(`[data-filter="${filter.key}"]`);
  const values = given(filter);
  const label = holder.querySelector(".label");
  holder.classList.toggle("set", pairsOf(filter.key).length > 0);
  let control;
  if (filter.kind === "one") {
    const options = filter.choices.map((one) => make("option", { value: one, textContent: one }));
    if (filter.default === null) options.unshift(make("option", { value: "", textContent: "All" }));
    control = make("select", {}, ...options);
    control.value = values[0] ?? "";
    control.addEventListener("change", () => setFilter(filter, control.value === "" ? [] : [control.value]));
  } else if (filter.kind === "typed" || filter.kind === "day") {
    control = make("input", { type: filter.kind === "day" ? "date" : "text", value: values[0] ?? "" });
    control.addEventListener("change", () => setFilter(filter, control.value === "" ? [] : [control.value]));
  } else {
    control = make("button", { type: "button", textContent: inWords(filter, values), title: values.join(", ") });
    control.id = `choose-${filter.key}`;
    control.setAttribute("aria-haspopup", "dialog");
    control.setAttribute("aria-expanded", "false");
    control.setAttribute("aria-controls", `drop-${filter.key}`);
    control.addEventListener("click", () => {
      if (control.getAttribute("aria-expanded") === "true") closeDrops(true);
      else openDrop(filter, holder, control);
    });
  }
  control.id ||= `choose-${filter.key}`;
  control.setAttribute("aria-labelledby", filter.kind === "several" || filter.kind === "period"
    ? `${label.id} ${control.id}` : label.id);
  // Reason: with one client, choosing among clients is noise.
  holder.hidden = filter.kind === "several" && !filter.free && filter.choices.length < 2 && !values.length;
  const had = holder.contains(document.activeElement);
  holder.replaceChildren(label, control);
  if (had) control.focus();
}
function prepareFilters() {
  const form = document.getElementById("filters");
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    history.pushState(null, "", address([], tabInAddress()));
    arrive();
  });
  document.addEventListener("pointerdown", (event) => { if (!event.target.closest(".filter")) closeDrops(false); });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") closeDrops(true); });
}

// --- loading --------------------------------------------------------------------------------------------------------
let waiting = null;
const cardsOf = (panel) => [...document.querySelectorAll(".context .card"), ...panel.querySelectorAll(".card")];
function tell(message, isMild = false) {
  const banner = document.getElementById("banner");
  banner.textContent = message;
  banner.hidden = !message;
  banner.classList.toggle("mild", isMild);
}
async function load(tab) {
  waiting?.abort();
  waiting = new AbortController();
  const panel = panelOf(tab);
  const cards = cardsOf(panel);
  for (const card of cards) card.querySelector(".body").setAttribute("aria-busy", "true");
  const query = new URLSearchParams([["tab", tab], ...filterPairs()]);
  let answer;
  try {
    const response = await fetch(`${page.interface}?${query}`, { signal: waiting.signal });
    const isJson = response.headers.get("content-type")?.startsWith("application/json");
    answer = isJson ? await response.json() : { error: (await response.text()).trim() };
  } catch (problem) {
    if (problem.name === "AbortError") return;
    answer = { error: "The server cannot be reached. Is `meta-ads site serve` running?" };
  }
  tell(answer.error ?? "");
  panel.dataset.state = answer.error ? "" : query.toString();
  for (const card of cards) {
    const body = card.querySelector(".body");
    const html = answer.cards?.[card.dataset.card];
    // Reason: the server's template escapes every value in it.
    if (html !== undefined) body.innerHTML = html;
    else body.replaceChildren(make("p", { className: "told", textContent: "No answer." }));
    body.setAttribute("aria-busy", "false");
  }
  drawVisible(document);
}
function arrive() {
  const tab = tabInAddress();
  showTab(tab);
  if (page.built) {
    for (const select of document.querySelectorAll(".pages-of")) {
      select.onchange = () => location.assign(select.value + location.search);
    }
    if (filterPairs().length) {
      tell("This page was built with the usual filters, and those of this address are not applied. " +
        "Where the site is served (meta-ads site serve), they are.", true);
    }
    return;
  }
  for (const filter of page.filters) fillFilter(filter);
  for (const link of document.querySelectorAll(".pages a")) {
    // Reason: what two dashboards both filter by goes along from one to the other.
    const shared = filterPairs().filter(([name]) => link.dataset.filters.split(" ").includes(name));
    link.search = new URLSearchParams(shared).toString();
  }
  const state = new URLSearchParams([["tab", tab], ...filterPairs()]).toString();
  if (panelOf(tab).dataset.state !== state) load(tab);
}

document.addEventListener("DOMContentLoaded", () => {
  showTheme(root.dataset.theme);
  document.getElementById("theme").addEventListener("click", () => {
    const theme = root.dataset.theme === "dark" ? "light" : "dark";
    showTheme(theme);
    try { localStorage.setItem(KEPT, theme); } catch { /* It holds for this page alone. */ }
  });
  const settings = document.getElementById("page");
  if (!settings) return;
  page = parsed(settings);
  prepareTabs();
  if (!page.built) prepareFilters();
  addEventListener("popstate", arrive);
  if (page.ok) arrive();
  else for (const body of document.querySelectorAll(".body")) body.replaceChildren();
});
