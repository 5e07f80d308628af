// The live page: asks for stats.json once a second, and shows it. Rates and the heat map come from two states in
// succession; a process is told from its successor by its pid, so nobody is credited with another's traffic.
"use strict";
const $ = id => document.getElementById(id);
const KEPT = 300; // states, of which the small lines show the last 60
const LINE = 60;
const PATIENCE = 5000; // milliseconds in which the server has to answer
let before = null; // the last state, and when it came
let at = 0;
let seconds = 1; // since then
let past = {}; // numbers by name, and the lag by worker and hub: the last KEPT

/* ---- text ---- */

function short(n) {
  const units = ["", "k", "M", "G", "T"];
  let u = 0;
  while (n >= 999.5 && u < units.length - 1) { n /= 1000; u++; }
  return (u && n < 99.95 ? n.toFixed(1) : Math.round(n)) + units[u];
}
function time(seconds) {
  const units = ["ns", "us", "ms", "s"];
  let n = seconds * 1e9, u = 0;
  while (n >= 999.5 && u < units.length - 1) { n /= 1000; u++; }
  return (u && n < 9.95 ? n.toFixed(1) : Math.round(n)) + " " + units[u];
}
function lasting(seconds) {
  const s = Math.round(seconds);
  if (s < 120) return s + " s";
  if (s < 7200) return Math.round(s / 60) + " min";
  return s < 172800 ? Math.round(s / 3600) + " h" : Math.round(s / 86400) + " days";
}
const percent = share => Math.round(100 * share) + " %";
const counted = (n, one) => n + " " + one + (n === 1 ? "" : one.endsWith("s") ? "es" : "s");

/* ---- elements ---- */

function element(tag, text, name) {
  const e = document.createElement(tag);
  if (text !== undefined) e.textContent = text;
  if (name) e.className = name;
  return e;
}
/* Only what changes is written, so that screen readers speak only then. */
function write(id, text) {
  if ($(id).textContent !== text) $(id).textContent = text;
}
function meter(share, name) {
  const box = element("span", undefined, "meter " + (name || ""));
  box.append(element("i"));
  box.firstChild.style.width = Math.min(100, 100 * share) + "%";
  return box;
}
/* A column: its head, what it says, and what it shows of a row: text, or elements. Numbers are at the right. */
function column(head, says, show, isNumber = true) {
  return {head, says, show, isNumber};
}
function fill(id, columns, rows, look = () => "") {
  const table = $(id);
  if (!table.tHead) {
    const head = table.createTHead().insertRow();
    for (const each of columns) {
      const th = element("th", each.head, each.isNumber ? "n" : "");
      th.scope = "col";
      if (each.says) th.title = each.says;
      head.append(th);
    }
    table.createTBody();
  }
  table.tBodies[0].replaceChildren(...rows.map(row => {
    const tr = element("tr", undefined, look(row));
    for (const each of columns) {
      const td = element("td", undefined, each.isNumber ? "n" : "");
      td.append(...[each.show(row)].flat());
      tr.append(td);
    }
    return tr;
  }));
}

/* ---- two states in succession ---- */

function remember(name, value) {
  return past[name] = (past[name] || []).concat(value).slice(-KEPT);
}
/* How much a number has grown in a second; of what was not there before, nothing is known. */
function rate(now, then) {
  return then === undefined ? null : Math.max(0, (now - then) / seconds);
}
const perSecond = (now, then) => { const grown = rate(now, then); return grown === null ? "–" : short(grown); };
function everyWorker(state) {
  return state ? state.workers.concat(state.draining) : [];
}
function formerWorker(worker) {
  return everyWorker(before).find(w => w.pid === worker.pid);
}
/* The same hub of the same process. */
function formerHub(worker, hub) {
  const former = formerWorker(worker);
  return former && former.hubs.find(h => h.hub === hub.hub);
}
function rowsOf(workers) {
  return workers.flatMap(worker => worker.hubs.length ? worker.hubs.map(hub => ({worker, hub, former: formerHub(worker, hub)}))
    : [{worker, hub: null, former: undefined}]);
}
const ofProcess = key => row => row.hub ? perSecond(row.hub.process[key], row.former && row.former.process[key]) : "";
const sum = (worker, get) => worker.hubs.reduce((all, hub) => all + get(hub), 0);

/* Of the master and all workers; 1 is a whole CPU. */
function cpuOf(state) {
  return everyWorker(state).reduce((all, worker) => all + (cpuOfWorker(worker) || 0),
    rate(state.cpu_s, before ? before.cpu_s : undefined) || 0);
}
function cpuOfWorker(worker) {
  const former = formerWorker(worker);
  return worker.cpu_s === null || !former || former.cpu_s === null ? null : rate(worker.cpu_s, former.cpu_s);
}
const memoryOf = state => everyWorker(state).reduce((all, worker) => all + worker.memory_bytes, state.memory_bytes);

/* ---- the parts of the page ---- */

function line(values) {
  const shown = values.length > 1 ? values.slice(-LINE) : [values[0], values[0]];
  const most = Math.max(1e-9, ...shown);
  const points = shown.map((v, i) => `${i * 100 / (shown.length - 1)} ${28 - 26 * v / most}`);
  return `<svg viewBox="0 0 100 30" preserveAspectRatio="none" aria-hidden="true"><path d="M${points.join(" L")}"/></svg>`;
}
function number(name, value, text) {
  const box = element("div", undefined, "number");
  box.append(element("span", name, "soft"), element("b", value === null ? "–" : text === undefined ? short(value) : text));
  box.insertAdjacentHTML("beforeend", line(remember(name, value || 0)));
  return box;
}
/* Without connections it says nothing. */
function imbalanceOf(state) {
  const hubs = state.workers.flatMap(worker => worker.hubs);
  return hubs.length > 1 && hubs.some(hub => hub.connections) ? state.imbalance : null;
}
function showNumbers(state) {
  const totals = state.totals, former = before && before.totals, asked = totals.request_duration_seconds;
  const grown = key => rate(totals[key], former ? former[key] : undefined);
  $("numbers").replaceChildren(
    number("connections", state.connections),
    number("accepted/s", grown("accepts")),
    ...(asked.count ? [
      number("requests/s", rate(asked.count, former ? former.request_duration_seconds.count : undefined)),
      number("p50", asked.recent.p50, asked.recent.count ? time(asked.recent.p50) : "–"),
      number("p99", asked.recent.p99, asked.recent.count ? time(asked.recent.p99) : "–")] : []),
    number("received B/s", grown("received_bytes")),
    number("sent B/s", grown("sent_bytes")),
    number("CPU", cpuOf(state), percent(cpuOf(state))),
    number("memory", memoryOf(state), short(memoryOf(state)) + "B"),
    number("most / mean", imbalanceOf(state), state.imbalance.toFixed(2)));
}

const hubColumns = [
  column("worker", "", row => `${row.worker.worker} (pid ${row.worker.pid === null ? "–" : row.worker.pid})`, false),
  column("hub", "", row => row.hub ? row.hub.hub : "", false),
  column("state", "hung: gives no sign of life, and gets no new connections", row => row.hub && row.hub.hung ? "hung" : row.worker.state, false),
  column("connections", "open now, and their part of the server's", row => row.hub ? [meter(row.share), short(row.hub.connections)] : ""),
  column("new/s", "connections that this process has accepted, in a second", ofProcess("accepts_total")),
  column("busy", "the part of the time in which the hub ran coroutines, instead of waiting for events", row => row.hub ? [meter(row.hub.busy, "busy"), percent(row.hub.busy)] : ""),
  column("lag", "how long an event waits for the hub's attention: what others of the hub take before it", row => row.hub ? time(row.hub.lag_ms / 1000) : ""),
  column("queue", "connections that the kernel has queued for the hub, and that it has not accepted", row => row.hub ? short(row.hub.queue) : ""),
  column("share of new", "the part of new connections that is steered to the hub, by its load", row => row.hub ? row.weight ? percent(row.hub.weight / row.weight) : "–" : ""),
  column("in/s", "bytes received in a second", ofProcess("received_bytes_total")),
  column("out/s", "bytes sent in a second", ofProcess("sent_bytes_total")),
];
function showHubs(state) {
  const weight = state.workers.reduce((all, worker) => all + sum(worker, hub => hub.weight), 0);
  const rows = rowsOf(state.workers).map(row =>
    ({...row, weight, share: row.hub && state.connections ? row.hub.connections / state.connections : 0}));
  fill("hubs", hubColumns, rows, row => row.hub && row.hub.hung ? "hung" : row.hub && row.hub.accepts ? "" : "away");
  write("balance", `${state.connections} of ${state.max_connections} connections; ${state.totals.handed} were handed to another hub of their worker; ` +
    (state.steered ? "new ones are steered by load." : "new ones are spread by the kernel's hash."));
}

/* Colours of lag: up to so many milliseconds, how strong. A hung hub has the warning's colour. */
const lags = [[1, 0, "up to 1 ms"], [10, .25, "10 ms"], [50, .5, "50 ms"], [200, .75, "200 ms"], [Infinity, 1, "more"]];
const HUNG = -1;
function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name);
}
function paint(context, x, y, width, height, lag) {
  context.globalAlpha = lag === HUNG ? 1 : lags.find(([most]) => lag <= most)[1];
  context.fillStyle = colour(lag === HUNG ? "--bad" : "--bar");
  context.fillRect(x, y, width, height);
}
function showHeat(state) {
  const rows = rowsOf(state.workers).filter(row => row.hub), height = Math.max(2, Math.min(14, Math.floor(400 / (rows.length || 1))));
  const canvas = $("heat"), context = canvas.getContext("2d");
  let worst = null, ticks = 1;
  for (const row of rows) {
    row.lags = remember(`lag ${row.worker.worker} ${row.hub.hub}`, row.hub.hung ? HUNG : row.hub.lag_ms);
    ticks = Math.max(ticks, row.lags.length);
    if (!worst || row.hub.lag_ms > worst.hub.lag_ms) worst = row;
  }
  /* While there is little to show, it is shown wider. */
  const width = Math.max(LINE, ticks);
  canvas.width = width;
  canvas.height = Math.max(1, rows.length * height);
  canvas.style.height = canvas.height + "px";
  rows.forEach((row, y) => row.lags.forEach((lag, i) =>
    paint(context, width - row.lags.length + i, y * height, 1, Math.max(1, height - 1), lag)));
  canvas.setAttribute("aria-label", worst ? `The most now: ${time(worst.hub.lag_ms / 1000)}, hub ${worst.hub.hub} of worker ${worst.worker.worker}` : "No hub");
  write("heat-time", lasting(width));
}
function showScale() {
  const items = lags.map(([, strength, text]) => [`color-mix(in srgb, var(--bar) ${100 * strength}%, transparent)`, text]);
  $("scale").replaceChildren(...items.concat([["var(--bad)", "hung"]]).map(([background, text]) => {
    const item = element("li");
    item.append(element("i"), text);
    item.firstChild.style.background = background;
    return item;
  }));
}

const workerColumns = [
  column("worker", "", worker => worker.worker, false),
  column("pid", "", worker => worker.pid === null ? "–" : worker.pid),
  column("generation", "which start or reload has made it", worker => worker.generation),
  column("state", "", worker => worker.state, false),
  column("connections", "", worker => short(sum(worker, hub => hub.connections))),
  column("CPU", "of one CPU, in the last second", worker => cpuOfWorker(worker) === null ? "–" : percent(cpuOfWorker(worker))),
  column("memory", "what the process has of its own", worker => worker.memory_bytes === null ? "–" : short(worker.memory_bytes) + "B"),
  column("age", "", worker => lasting(worker.age_s)),
];
const drainingColumns = workerColumns.concat([
  column("ends in", "when what is still open will be closed", worker => worker.ends_in_s === null ? "–" : lasting(worker.ends_in_s)),
]);

const listenerColumns = [
  column("listener", "–: those without a name", row => row.listener === "-" ? "–" : row.listener, false),
  column("connections", "open now", row => short(row.connections)),
  column("new/s", "connections accepted in a second", row => perSecond(row.accepts, row.then && row.then.accepts)),
  column("accepted", "since the server's start", row => short(row.accepts)),
  column("refused", "connections that were not served", row => short(row.refused)),
  column("datagrams/s", "received in a second", row => perSecond(row.datagrams, row.then && row.then.datagrams)),
];
/* Where there is one, the totals are its own. */
function showListeners(state) {
  const rows = state.listeners.filter(each => each.listens || each.accepts || each.datagrams).map(each =>
    ({...each, then: before ? before.listeners.find(former => former.listener === each.listener) : undefined}));
  $("several").hidden = rows.length < 2;
  fill("listeners", listenerColumns, rows);
}

const REQUESTS = "request_duration_seconds";
const quantileColumns = ["p50", "p90", "p99", "p99.9"].map(head =>
  column(head, "", row => row.recent && row.recent.count ? row.write(row.recent[head.replace(".", "")]) : "–"));
const requestColumns = [
  column("worker", "", row => row.worker, false),
  column("hub", "", row => row.hub, false),
  column("requests", "since the server's start", row => short(row.now.count)),
  column("new/s", "", row => perSecond(...row.grown)),
].concat(quantileColumns);
function showRequests(state) {
  const all = state.totals[REQUESTS], then = before ? before.totals[REQUESTS] : undefined;
  const rows = rowsOf(state.workers).filter(row => row.hub).map(({worker, hub, former}) =>
    ({worker: worker.worker, hub: hub.hub, now: hub[REQUESTS], grown: [hub.process[REQUESTS], former && former.process[REQUESTS]]}));
  $("asked").hidden = !all.count;
  fill("requests", requestColumns, rows.concat({worker: "all", hub: "", now: all, grown: [all.count, then && then.count]}).map(row => ({...row, recent: row.now.recent, write: time})));
}

const metricColumns = [
  column("metric", "", row => row.name, false),
  column("value or count", "", row => row.isWhole ? short(row.count) : row.count.toFixed(3)),
  column("new/s", "", row => row.grows ? perSecond(row.count, row.then) : "–"),
].concat(quantileColumns);
function showMetrics(state) {
  const count = value => value !== null && typeof value === "object" ? value.count : value;
  const rows = Object.entries(state.metrics).map(([name, now]) => {
    const then = before && before.metrics[name], isHistogram = typeof now === "object";
    return {name, count: count(now), isWhole: isHistogram || Number.isInteger(now), grows: isHistogram || name.endsWith("_total"),
      then: typeof then === typeof now && then !== null ? count(then) : undefined,
      recent: now.recent, write: name.endsWith("_seconds") ? time : short};
  });
  $("own").hidden = !rows.length;
  fill("metrics", metricColumns, rows);
}

const kinds = [
  ["lost", "connections that died with their worker"],
  ["respawns", "workers that were replaced after their death"],
  ["hangs", "times that a hub gave no sign of life"],
  ["accept_errors_limit", "accepts that failed, because a limit of the machine was reached"],
  ["accept_errors_aborted", "clients that had gone before they were accepted"],
  ["refused", "connections beyond the limit of the server or of one address"],
  ["dismissed", "connections closed at the drain's end"],
  ["left_early", "clients that left in the middle of a request"],
  ["idle_closed", "connections closed by --idle-timeout"],
  ["request_closed", "connections closed by --request-timeout"],
  ["write_closed", "connections closed by --write-timeout"],
  ["unanswered", "datagrams without an answer"],
  ["log_lost", "lines that the log has lost"],
  ["log_limited", "lines that the log's limit has left out"],
];
const errorColumns = [
  column("number", "", row => short(row.now)),
  column("new/s", "", row => perSecond(row.now, row.then)),
  column("what", "", row => row.says, false),
];
function showErrors(state) {
  const rows = kinds.map(([key, says]) => ({says, now: state.totals[key], then: before ? before.totals[key] : undefined})).filter(row => row.now);
  $("well").hidden = rows.length > 0;
  $("wrong").hidden = !rows.length;
  fill("errors", errorColumns, rows);
}
function showEvents(state) {
  $("events").replaceChildren(...state.events.slice(0, 20).map(event => {
    const item = element("li", undefined, event.level);
    item.append(element("time", new Date(event.time * 1000).toLocaleString()), event.text);
    return item;
  }));
}
function showHead(state) {
  const hung = rowsOf(state.workers).filter(row => row.hub && row.hub.hung).length;
  document.title = `${state.name}: ${counted(state.connections, "connection")}`;
  write("name", state.name);
  write("phase", state.phase + (hung ? `, ${counted(hung, "hub")} hung` : state.phase === "serving" && !state.ready ? ", not ready" : ""));
  $("phase").className = "pill " + (hung ? "bad" : state.ready ? "good" : "");
  write("shape", `${counted(state.processes, "process")} × ${counted(state.threads, "thread")}`);
  write("where", `${state.addresses.join(", ")}, pid ${state.pid}, generation ${state.generation}, version ${state.version}, up since ${new Date(state.started * 1000).toLocaleString()}`);
}

function show(state) {
  const now = performance.now();
  /* After an upgrade the new master counts on; a server that was started anew counts from zero. */
  if (before && state.totals.accepts < before.totals.accepts) {
    before = null;
    past = {};
  }
  seconds = before ? Math.max(.001, (now - at) / 1000) : 1;
  showHead(state);
  showNumbers(state);
  showHubs(state);
  showHeat(state);
  fill("workers", workerColumns, state.workers);
  showListeners(state);
  showRequests(state);
  showMetrics(state);
  $("leaving").hidden = !state.draining.length;
  fill("draining", drainingColumns, state.draining);
  showErrors(state);
  showEvents(state);
  $("options").replaceChildren(...state.options.map(option => element("li", option)));
  $("lost").hidden = true;
  write("since", new Date().toLocaleTimeString());
  before = state;
  at = now;
}
function showGone() {
  write("phase", "gone");
  $("phase").className = "pill bad";
  document.title = `${$("name").textContent}: gone`;
  $("lost").hidden = !before;
}
async function renew() {
  let state = null;
  try {
    const answer = await fetch("stats.json", {cache: "no-store", signal: AbortSignal.timeout(PATIENCE)});
    state = await answer.json();
  } catch (error) {
    console.warn("the server does not answer:", error);
  }
  /* A fault of this page's own is no fault of the server's. */
  try {
    if (state) show(state); else showGone();
  } finally {
    setTimeout(renew, 1000);
  }
}
$("columns").append(...hubColumns.filter(each => each.says).flatMap(each => [element("dt", each.head), element("dd", each.says)]));
showScale();
renew();
