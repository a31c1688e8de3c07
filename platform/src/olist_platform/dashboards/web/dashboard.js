// What a page does: shows the rows of its tiles by what the reader chose. It computes no figure:
// it selects rows and adds up what the description of the tile lets it add up.
"use strict";

(() => {
  const content = JSON.parse(document.getElementById("content-data").textContent);
  const DASH = "\u2013";
  const HISTORY = 13;
  const ROWS_ON_A_PHONE = 5;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const phone = window.matchMedia("(max-width: 47.99rem)");

  // --- what the reader chose, kept between pages where the browser lets us ---
  const kept = (storage) => ({
    read(key) {
      try { return window[storage].getItem(`olist.${key}`); } catch { return null; }
    },
    write(key, value) {
      try { window[storage].setItem(`olist.${key}`, value); } catch { /* nothing is kept */ }
    },
  });
  const memory = kept("localStorage");
  const ofThisVisit = kept("sessionStorage");
  const choice = {
    numbers: memory.read("numbers") ?? (navigator.language.startsWith("pt") ? "pt-BR" : "en"),
    theme: memory.read("theme") ?? "auto",
    filters: new Map(content.filters.map((one) => [one.name, one.default])),
  };
  // A page that made way for a newer one keeps what was chosen, as far as it is still there.
  const defaults = new Map(choice.filters);
  const keptChoice = `choice.${content.name}`;
  for (const [name, value] of JSON.parse(ofThisVisit.read(keptChoice) || "[]")) {
    if (content.filters.some((one) => one.name === name && one.values.includes(value))) choice.filters.set(name, value);
  }
  ofThisVisit.write(keptChoice, "");

  // --- numbers and dates ---
  const fraction = (digits) => ({ minimumFractionDigits: digits, maximumFractionDigits: digits });
  const brl = { style: "currency", currency: "BRL" };
  const compact = { notation: "compact", maximumFractionDigits: 1 };
  // A zero has no sign, and what is not nothing is never written as nothing.
  const unsigned = { signDisplay: "negative" };
  const formats = {
    money: (v) => [v, { ...unsigned, ...brl, ...(Math.abs(v) >= 10000 ? fraction(0) : fraction(2)) }],
    count: (v) => [v, { ...unsigned, ...fraction(0) }],
    number: (v) => [v, { ...unsigned, ...(v !== 0 && Math.abs(v) < 0.005 ? { maximumSignificantDigits: 2 } : { maximumFractionDigits: 2 }) }],
    share: (v) => [v, { ...unsigned, style: "percent", ...fraction(1) }],
    growth: (v) => [v, { style: "percent", signDisplay: "exceptZero", ...fraction(1) }],
    points: (v) => [v * 100, { signDisplay: "exceptZero", ...fraction(1) }],
    score: (v) => [v, { ...unsigned, ...fraction(2) }],
  };
  // Few are not none, and most are not all: shares that would be rounded to these are beside them.
  const LEAST_SHARE = 0.001;
  const besides = (v) => (v > 0 && v < LEAST_SHARE / 2 ? ["<", LEAST_SHARE] : v < 1 && v >= 1 - LEAST_SHARE / 2 ? [">", 1 - LEAST_SHARE] : ["", v]);
  const axisFormats = {
    money: (v) => ({ ...brl, ...(Math.abs(v) < 10 && v !== 0 ? fraction(2) : compact) }),
    count: () => compact,
    number: (v) => (Math.abs(v) < 1000 ? { maximumFractionDigits: 2 } : compact),
    share: () => ({ style: "percent", maximumFractionDigits: 1 }),
    growth: () => ({ style: "percent", maximumFractionDigits: 1 }),
    score: () => ({ maximumFractionDigits: 2 }),
  };
  const dates = {
    date: { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" },
    month: { month: "short", year: "numeric", timeZone: "UTC" },
    moment: { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZoneName: "short", timeZone: "America/Sao_Paulo" },
  };
  const made = new Map();
  function formatter(kind, options) {
    const key = choice.numbers + kind.name + JSON.stringify(options);
    if (!made.has(key)) made.set(key, new kind(choice.numbers, options));
    return made.get(key);
  }
  function written(value, format) {
    if (value === null || value === undefined || value === "") return DASH;
    if (format in dates) return formatter(Intl.DateTimeFormat, dates[format]).format(new Date(value));
    if (format === "flag") return value ? "Yes" : "No";
    if (!(format in formats)) return String(value);
    const [beside, shown] = format === "share" ? besides(value) : ["", value];
    const [number, options] = formats[format](shown);
    const text = beside + formatter(Intl.NumberFormat, options).format(number);
    return format === "points" ? `${text} pp` : text;
  }
  function onAxis(value, format) {
    if (typeof value !== "number" || format in dates || !(format in axisFormats)) return written(value, format);
    return formatter(Intl.NumberFormat, axisFormats[format](value)).format(value);
  }

  // --- elements ---
  function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (value === true) made.setAttribute(key, "");
      else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
    }
    made.append(...children.filter((child) => child !== null));
    return made;
  }

  // --- rows ---
  function comparison(order, rows) {
    // Whole bars are compared by the sum of their parts.
    const totals = order.map(({ by, of }) => {
      if (!of) return null;
      const sums = new Map();
      for (const row of rows) sums.set(row[of], (sums.get(row[of]) ?? 0) + (row[by] ?? 0));
      return sums;
    });
    return (a, b) => {
      for (const [place, { by, of, values, descending }] of order.entries()) {
        const word = (row) => (values.includes(row[by]) ? values.indexOf(row[by]) : null);
        const rank = (row) => (of ? totals[place].get(row[of]) : values.length ? word(row) : row[by]);
        const [x, y] = [rank(a), rank(b)];
        if (x === y) continue;
        if (x === null) return 1;
        if (y === null) return -1;
        return (x < y ? -1 : 1) * (descending ? -1 : 1);
      }
      return 0;
    };
  }
  function narrowed(tile) {
    const wanted = Object.entries(tile.filters)
      .filter(([name]) => choice.filters.get(name))
      .map(([name, column]) => [column, choice.filters.get(name)]);
    return tile.records.filter((row) => wanted.every(([column, value]) => row[column] === value));
  }
  // Rows that a filter's column keeps apart are taken together again.
  function together(tile, rows) {
    if (!tile.adds) return rows;
    const apart = tile.columns.filter((column) => !column.adds).map((column) => column.key);
    const adding = tile.columns.filter((column) => column.adds).map((column) => column.key);
    const groups = new Map();
    for (const row of rows) {
      const key = JSON.stringify(apart.map((name) => row[name]));
      const group = groups.get(key);
      if (!group) groups.set(key, { ...row });
      else for (const name of adding) group[name] = group[name] === null ? row[name] : group[name] + (row[name] ?? 0);
    }
    const exact = (value) => (typeof value === "number" ? Math.round(value * 1e6) / 1e6 : value);
    const sums = [...groups.values()];
    if (sums.length < rows.length) for (const row of sums) for (const name of adding) row[name] = exact(row[name]);
    return sums.sort(comparison(tile.order, sums));
  }
  const shownRows = (tile) => together(tile, narrowed(tile));
  const columnsOf = (tile, role) => tile.columns.filter((column) => column.role === role);
  const categoryOf = (tile, row) =>
    tile.category.map((key) => written(row[key], tile.columns.find((column) => column.key === key).format)).join(" \u2192 ");

  for (const tile of content.tiles) {
    tile.records = tile.rows.map((row) => Object.fromEntries(tile.fields.map((name, place) => [name, row[place]])));
    tile.element = document.getElementById(tile.name);
    tile.body = tile.element.querySelector(".tile-body");
    tile.showsAll = false;
  }

  // --- figures ---
  function figure(row, column, name = "span", attributes = {}) {
    const raw = row[column.key];
    return element(
      name,
      { ...attributes, "data-key": column.key, "data-raw": raw === null ? "" : JSON.stringify(raw) },
      written(raw, column.format),
    );
  }
  function verdict(tile, row) {
    if (!tile.target) return null;
    const { key, atLeast, atMost, label, decimals } = tile.target;
    const value = row[key];
    if (value === null || value === undefined) return element("p", { class: "target" }, `Target ${label}: not known`);
    const meets = (one) => (atLeast !== null ? one >= atLeast : one <= atMost);
    const met = meets(value);
    // "92.0% misses at least 92 %" would be read as a mistake.
    const barely = met === meets(Number(value.toFixed(decimals))) ? "" : ", by less than is shown";
    return element("p", { class: `target ${met ? "met" : "missed"}` }, `${met ? "\u2713 Meets" : "\u2717 Misses"} target: ${label}${barely}`);
  }
  function change(row, column) {
    const value = row[column.key];
    // As it is written: what is rounded to 0 has not moved.
    const sign = written(value, column.format)[0];
    const direction = value === null ? "unknown" : sign === "+" ? "up" : sign === "-" ? "down" : "level";
    const arrow = { up: "\u25B2", down: "\u25BC", level: "\u25A0", unknown: "" }[direction];
    return element(
      "li", { class: `change ${direction}` },
      element("span", { class: "arrow", "aria-hidden": "true" }, arrow), figure(row, column), ` ${lower(column.label)}`,
    );
  }
  const lower = (label) => (/^[A-Z][a-z]/.test(label) ? label[0].toLowerCase() + label.slice(1) : label);

  function drawFigure(tile) {
    const [time] = columnsOf(tile, "time");
    const [value] = columnsOf(tile, "value");
    const rows = narrowed(tile);
    const row = rows[0];
    if (!row) return empty(tile);
    const [low] = columnsOf(tile, "lower");
    const [high] = columnsOf(tile, "upper");
    const details = columnsOf(tile, "detail");
    const [title, label] = [tile.title.toLowerCase(), value.label.toLowerCase()];
    const meaning = title.includes(label) || label.includes(title) ? "" : ` \u00B7 ${lower(value.label)}`;
    const parts = [
      element("p", { class: "when" }, figure(row, time), meaning),
      figure(row, value, "p", { class: "figure" }),
    ];
    // What is forecast from too few months has no interval.
    if (low && row[low.key] !== null) parts.push(element("p", { class: "interval" }, figure(row, low), " to ", figure(row, high), element("span", { class: "hidden" }, ` (${low.label}, ${high.label})`)));
    const changes = columnsOf(tile, "change").map((column) => change(row, column));
    if (changes.length) parts.push(element("ul", { class: "changes" }, ...changes));
    if (details.length) parts.push(element("ul", { class: "details" }, ...details.map((column) => element("li", {}, `${column.label} `, figure(row, column, "strong")))));
    const target = verdict(tile, row);
    if (target) parts.push(target);
    const history = tile.records.filter((other) => other[time.key] <= row[time.key]).slice(-HISTORY);
    tile.body.replaceChildren(...parts);
    if (history.length > 2) {
      const holder = element("div", { class: "chart history", "aria-hidden": "true" });
      tile.body.append(holder);
      chart(tile, holder, history);
    }
  }

  function drawRanking(tile) {
    const rows = shownRows(tile);
    if (!rows.length) return empty(tile);
    const [value] = columnsOf(tile, "value");
    const details = columnsOf(tile, "detail");
    const time = columnsOf(tile, "time");
    const items = rows.map((row) => element(
      "li", {},
      element("span", { class: "what" }, ...columnsOf(tile, "category").flatMap((column, place) => [place ? " \u2192 " : "", figure(row, column)])),
      figure(row, value, "strong"),
      element("span", { class: "detail" }, ...details.flatMap((column, place) => [place ? " of " : "", figure(row, column), ` ${lower(column.label)}`])),
    ));
    tile.body.replaceChildren(element("ol", { class: "ranking" }, ...items), ...time.map(() => ""));
  }

  function table(tile, rows, caption) {
    const numeric = new Set(["money", "count", "number", "share", "growth", "points", "score"]);
    const head = element("tr", {}, ...tile.columns.map((column) => element("th", { scope: "col", class: numeric.has(column.format) ? "number" : null }, column.label)));
    const body = rows.map((row) => element("tr", {}, ...tile.columns.map((column, place) => {
      const attributes = { class: numeric.has(column.format) ? "number" : null, "data-label": column.label };
      if (column.key.endsWith("_id")) attributes.class = "identifier";
      return place === 0 ? figure(row, column, "th", { ...attributes, scope: "row" }) : figure(row, column, "td", attributes);
    })));
    const made = element("table", {}, element("caption", { class: "hidden" }, caption), element("thead", {}, head), element("tbody", {}, ...body));
    // Wider than its tile it can be scrolled, with the keyboard too.
    return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Table: ${caption}` }, made);
  }

  function drawTable(tile) {
    const rows = shownRows(tile);
    if (!rows.length) return empty(tile);
    tile.body.replaceChildren(table(tile, limited(tile, rows), tile.title), ...allRows(tile, rows.length));
  }
  // A row of a table is a card on a phone, so fewer of them are shown at first.
  const shownFirst = (tile) => (tile.show && tile.kind === "table" && phone.matches ? Math.min(tile.show, ROWS_ON_A_PHONE) : tile.show);
  const limited = (tile, rows) => (tile.show && !tile.showsAll ? rows.slice(0, shownFirst(tile)) : rows);
  function allRows(tile, count) {
    if (!tile.show || count <= shownFirst(tile)) return [];
    const button = element("button", { type: "button", class: "all", "aria-expanded": String(tile.showsAll) }, tile.showsAll ? "Show fewer" : `Show all ${written(count, "count")}`);
    button.addEventListener("click", () => {
      tile.showsAll = !tile.showsAll;
      draw(tile);
      tile.body.querySelector("button.all").focus();
    });
    return [button];
  }

  // --- charts ---
  const usesDark = () => (choice.theme === "auto" ? dark.matches : choice.theme === "dark");
  // For tests and pictures: the charts by their tile, and on <html> whether all are drawn.
  window.olistCharts = {};
  let undrawn = 0;
  function drawing(more) {
    undrawn += more;
    document.documentElement.dataset.drawn = undrawn ? "no" : "yes";
  }

  function chart(tile, holder, rows) {
    const spec = structuredClone(tile.spec);
    const unnamed = Object.fromEntries(columnsOf(tile, "series").map((column) => [column.key, "none"]));
    const named = (row) => Object.fromEntries(Object.entries(row).filter(([key, value]) => value !== null || !(key in unnamed)));
    spec.data.values = rows.map((row) => ({ ...unnamed, ...named(row), category: categoryOf(tile, row) }));
    // A row's height times rows, said as a number: Vega-Lite fits a chart to a width only then.
    if (spec.height.step) spec.height = spec.height.step * new Set(spec.data.values.map((row) => row.category)).size;
    drawing(1);
    window.vegaEmbed(holder, spec, {
      actions: false, renderer: "svg", ast: true, logLevel: 1, config: content.themes[usesDark() ? "dark" : "light"],
      expressionFunctions: { olistAxis: onAxis, olistValue: written },
      tooltip: { theme: usesDark() ? "dark" : "light" },
    }).then((result) => {
      tile.view?.finalize();
      tile.view = result.view;
      window.olistCharts[tile.name] = result.view;
    }).catch((error) => {
      holder.replaceChildren(element("p", { class: "empty" }, "This chart could not be drawn; its table can be read."));
      console.error(tile.name, error);
    }).finally(() => drawing(-1));
  }

  function drawChart(tile) {
    const rows = shownRows(tile);
    const drawable = tile.columns.filter((column) => ["value", "forecast"].includes(column.role));
    if (!rows.some((row) => drawable.some((column) => row[column.key] !== null))) return empty(tile);
    // The rows that belong to the first categories, parts of bars included.
    const categories = [...new Set(rows.map((row) => categoryOf(tile, row)))];
    const first = new Set(limited(tile, categories));
    const drawn = ["bar", "range"].includes(tile.kind) ? rows.filter((row) => first.has(categoryOf(tile, row))) : rows;
    // Read out as one picture; its figures are read in the table behind it.
    const holder = element("div", { class: "chart", "aria-hidden": "true" });
    const picture = element("div", { role: "img", "aria-label": `Chart: ${tile.title}. Its figures are in the table below.` }, holder);
    const behind = element("details", { class: "behind" }, element("summary", {}, "Table", element("span", { class: "hidden" }, ` of ${tile.title}`)));
    behind.append(table(tile, rows, tile.title));
    tile.body.replaceChildren(picture, ...(["bar", "range"].includes(tile.kind) ? allRows(tile, categories.length) : []), behind);
    chart(tile, holder, drawn);
  }

  // --- states ---
  function empty(tile) {
    const chosen = Object.keys(tile.filters).some((name) => choice.filters.get(name));
    const text = tile.records.length && chosen ? "Nothing for this choice." : tile.empty;
    tile.view?.finalize();
    tile.view = null;
    delete window.olistCharts[tile.name];
    tile.body.replaceChildren(element("p", { class: "empty" }, text));
  }
  function tags(tile) {
    const found = [];
    for (const filter of content.filters) {
      const value = choice.filters.get(filter.name);
      if (!value || filter.kind === "period") continue;
      found.push(filter.name in tile.filters ? element("span", { class: "tag" }, value) : element("span", { class: "tag all" }, `not by ${filter.title.toLowerCase()}`));
    }
    for (const filter of content.filters) {
      const value = choice.filters.get(filter.name);
      if (value && filter.kind === "period" && filter.name in tile.filters && tile.kind !== "kpi") found.unshift(element("span", { class: "tag" }, written(value, "month")));
    }
    if (tile.isStale) found.push(element("span", { class: "tag stale" }, "stale"));
    tile.element.querySelector(".tags").replaceChildren(...found);
  }

  const draws = { kpi: drawFigure, ranking: drawRanking, table: drawTable };
  function draw(tile) {
    tags(tile);
    (draws[tile.kind] ?? drawChart)(tile);
    tile.element.dataset.drawn = "yes";
  }

  function drawDates() {
    for (const [selector, format] of [["[data-as-of]", "date"], ["[data-day]", "date"], ["[data-published]", "moment"]]) {
      for (const found of document.querySelectorAll(`time${selector}`)) {
        const moment = found.getAttribute("datetime");
        if (moment) found.textContent = written(moment, format);
      }
    }
  }
  // Old: published too long ago by the reader's clock. Stale: behind the reference date of its own build.
  function drawStaleness() {
    const hours = (Date.now() - Date.parse(content.publishedAt)) / 3600000;
    const isOld = content.oldAfterHours !== null && hours > content.oldAfterHours;
    const age = hours >= 48 ? `${Math.floor(hours / 24)} days` : `${Math.floor(hours)} hours`;
    const isStale = content.staleMarts.length > 0;
    const badge = document.getElementById("staleness");
    badge.className = `badge ${isOld || isStale ? "stale" : "fresh"}`;
    badge.textContent = isOld ? `\u26A0 old: ${age}` : isStale ? "\u26A0 stale data" : "\u2713 fresh";
  }

  function drawAll() {
    document.documentElement.dataset.theme = choice.theme;
    document.documentElement.dataset.charts = usesDark() ? "dark" : "light";
    drawDates();
    drawStaleness();
    for (const select of document.querySelectorAll("select[data-filter]")) fill(select);
    content.tiles.forEach(draw);
  }
  function fill(select) {
    const filter = content.filters.find((one) => one.name === select.dataset.filter);
    const isPeriod = filter.kind === "period";
    const options = filter.values.map((value) => element("option", { value }, isPeriod ? written(value, "month") : value));
    if (!isPeriod) options.unshift(element("option", { value: "" }, "All"));
    select.replaceChildren(...options);
    select.value = choice.filters.get(filter.name) ?? "";
    const note = document.getElementById("filter-note");
    if (filter.note) {
      note.hidden = false;
      note.textContent = `${written(filter.default, "month")} is shown first: ${filter.note}.`;
    }
  }

  // --- what the reader does ---
  document.addEventListener("change", (event) => {
    const target = event.target;
    if (target.dataset.filter) {
      choice.filters.set(target.dataset.filter, target.value || null);
      content.tiles.forEach((tile) => {
        tags(tile);
        if (target.dataset.filter in tile.filters) draw(tile);
      });
    } else if (target.id === "numbers" || target.id === "theme") {
      choice[target.id] = target.value;
      memory.write(target.id, target.value);
      drawAll();
    }
  });
  dark.addEventListener("change", () => choice.theme === "auto" && drawAll());

  for (const id of ["numbers", "theme"]) document.getElementById(id).value = choice[id];
  drawAll();
  drawing(0);
  document.documentElement.dataset.ready = "yes";
  performance.mark("olist-ready");

  // Served by `olist dashboards serve`, a page looks whether a newer one took its place.
  if (location.protocol.startsWith("http")) {
    const look = async () => {
      const answer = await fetch("build.txt", { cache: "no-store" }).catch(() => null);
      if (!answer?.ok) return;
      const newest = (await answer.text()).trim();
      // Once for a build: whoever is served an old page all the same is not to load it for ever.
      if (newest === document.documentElement.dataset.build || newest === ofThisVisit.read("loaded")) return;
      ofThisVisit.write("loaded", newest);
      ofThisVisit.write(keptChoice, JSON.stringify([...choice.filters].filter(([name, value]) => value !== defaults.get(name))));
      location.reload();
    };
    look();
    window.setInterval(look, 15000);
  }
})();
