// Goes before the page's script: the page is shown one state after the other, as if a server answered so, a second
// apart; after each, what it shows is looked at. The report is text of the page.
"use strict";
const report = [];
let step = -1, checks = 0;

function expect(what, shown, wanted) {
  checks++;
  if (!(wanted instanceof RegExp ? wanted.test(shown) : shown === wanted))
    report.push(`${steps[step].name}: ${what}: "${shown}" instead of ${wanted}`);
}
const text = id => document.getElementById(id).textContent;
const isShown = id => !document.getElementById(id).closest("[hidden]");
const styleOf = id => getComputedStyle(document.getElementById(id)).backgroundColor;
function cells(table, row) {
  const found = document.getElementById(table).tBodies[0].rows[row];
  return found ? [...found.cells].map(cell => cell.textContent).join("|") : "";
}

/* ---- states ---- */

const quantiles = count => ({count, sum: 0, p50: .001, p90: .002, p99: .003, p999: .004, recent: {count, sum: 0, p50: .001, p90: .002, p99: .003, p999: .004}});
function hub(number, counted, more) {
  const process = {accepts_total: counted, received_bytes_total: 10 * counted, sent_bytes_total: 20 * counted, request_duration_seconds: counted};
  return {hub: number, accepts: true, hung: false, connections: 5, busy: .25, lag_ms: 2, queue: 0, weight: 50, permits: 9,
    accepts_total: 1e6, received_bytes_total: 1e6, sent_bytes_total: 1e6, request_duration_seconds: quantiles(0), process, ...more};
}
function worker(number, pid, counted, more) {
  return {worker: number, pid, state: "ready", generation: 1, age_s: 100, cpu_s: pid + counted / 1000, memory_bytes: 2e6,
    hubs: [hub(0, counted), hub(1, 0)], ...more};
}
function state(accepted, more) {
  const totals = {respawns: 0, lost: 0, hangs: 0, log_lost: 0, log_limited: 0, accepts: accepted, handed: 0, received_bytes: 0, sent_bytes: 0,
    unanswered: 0, accept_errors_limit: 0, accept_errors_aborted: 0, dismissed: 0, refused: 0, left_early: 0, idle_closed: 0,
    request_closed: 0, write_closed: 0, request_duration_seconds: quantiles(0)};
  return {name: "echo", version: "1", pid: 1, phase: "serving", ready: true, live: true, started: 1, generation: 1, processes: 2, threads: 2,
    changing: false, addresses: ["127.0.0.1:7"], connections: 20, max_connections: 100, imbalance: 1, steered: true, totals, metrics: {}, listeners: [],
    cpu_s: 1, memory_bytes: 1e6, options: ["--processes=2"], draining: [], events: [],
    workers: [worker(0, 10, accepted), worker(1, 11, 0)], ...more};
}
const listener = (name, accepts, more) => ({listener: name, listens: true, connections: 2, accepts, refused: 1, datagrams: 0, ...more});
const draining = {state: "draining", generation: 1, ends_in_s: 29.6};

const steps = [
  {name: "start", state: state(0, {ready: false, phase: "starting", connections: 0, workers: [{...worker(0, null, 0), state: "starting", hubs: [], cpu_s: null, memory_bytes: null}]}),
    look() {
      expect("phase", text("phase"), "starting");
      expect("colour", styleOf("phase") === colours["--good"], false);
      expect("worker", cells("workers", 0), "0|–|1|starting|0|–|–|100 s");
      expect("lines", document.querySelectorAll("#numbers path").length, document.querySelectorAll("#numbers .number").length);
    }},
  {name: "first look", state: state(0),
    look() { expect("rates are not known", cells("hubs", 0), "0 (pid 10)|0|ready|5|–|25 %|2.0 ms|0|25 %|–|–"); }},
  {name: "load", state: state(100),
    look() {
      expect("phase", text("phase"), "serving");
      expect("colour", styleOf("phase"), colours["--good"]);
      expect("hub", cells("hubs", 0), "0 (pid 10)|0|ready|5|100|25 %|2.0 ms|0|25 %|1.0k|2.0k");
      expect("worker", cells("workers", 0), "0|10|1|ready|10|10 %|2.0MB|100 s");
      expect("title", document.title, "echo: 20 connections");
      expect("nothing went wrong", isShown("well") && !isShown("wrong"), true);
      expect("without listeners", isShown("several"), false);
      expect("the line is as wide as its box", /L100 /.test(document.querySelector("#numbers path").getAttribute("d")), true);
      expect("options", text("options"), "--processes=2");
      expect("lag, for who cannot see it", document.getElementById("heat").getAttribute("aria-label"), /^The most now: 2.0 ms/);
    }},
  {name: "one listener in use", state: state(100, {listeners: [listener("-", 7), listener("admin", 0, {listens: false})]}),
    look() { expect("listeners", isShown("several"), false); }},
  {name: "two listeners", state: state(100, {listeners: [listener("-", 8), listener("admin", 5)]}),
    look() {
      expect("listeners", isShown("several"), true);
      expect("its rate", cells("listeners", 0), "–|2|1|8|1|0");
      expect("another", cells("listeners", 1), "admin|2|5|5|1|0");
    }},
  {name: "reload", state: state(400, {generation: 2, workers: [worker(0, 20, 7, {generation: 2}), worker(1, 21, 0, {generation: 2})],
    draining: [worker(0, 10, 393, draining)]}),
    look() {
      expect("a new process has no rate yet", cells("hubs", 0), /^0 \(pid 20\)\|0\|ready\|5\|–\|/);
      expect("the former one keeps its own", cells("draining", 0), "0|10|1|draining|10|29 %|2.0MB|100 s|30 s");
    }},
  {name: "after the reload", state: state(500, {generation: 2, workers: [worker(0, 20, 17, {generation: 2}), worker(1, 21, 0, {generation: 2})]}),
    look() {
      expect("the rate is of the new process", cells("hubs", 0), /^0 \(pid 20\)\|0\|ready\|5\|10\|/);
      expect("nobody drains", isShown("leaving"), false);
    }},
  {name: "upgrade: another master counts on", state: state(550, {pid: 2, started: 9, workers: [worker(0, 30, 5), worker(1, 31, 0)]}),
    look() {
      expect("a new process has no rate yet", cells("hubs", 0), /^0 \(pid 30\)\|0\|ready\|5\|–\|/);
      expect("the server's goes on", document.querySelector("#numbers .number:nth-child(2) b").textContent, "50");
    }},
  {name: "hang", state: state(550, {ready: false, workers: [worker(0, 20, 17, {hubs: [hub(0, 17, {hung: true, accepts: false}), hub(1, 0)]}), worker(1, 21, 0)]}),
    look() {
      expect("phase", text("phase"), "serving, 1 hub hung");
      expect("colour", styleOf("phase"), colours["--bad"]);
      expect("row", document.querySelector("#hubs tr.hung td:nth-child(3)").textContent, "hung");
    }},
  {name: "gone", state: null,
    look() {
      expect("phase", text("phase"), "gone");
      expect("colour", styleOf("phase"), colours["--bad"]);
      expect("alert", isShown("lost"), true);
      expect("title", document.title, "echo: gone");
    }},
  {name: "back, counting from zero", state: state(3, {totals: {...state(3).totals, lost: 4}}),
    look() {
      expect("phase", text("phase"), "serving");
      expect("alert", isShown("lost"), false);
      expect("what went wrong", cells("errors", 0), "4|–|connections that died with their worker");
    }},
  {name: "drain", state: state(3, {ready: false, phase: "draining", workers: [], draining: [worker(0, 10, 3, draining)]}),
    look() {
      expect("phase", text("phase"), "draining");
      expect("ends in", cells("draining", 0), /\|30 s$/);
    }},
];

/* ---- contrast: at least 4.5 to 1 (WCAG 2.1, 1.4.3) ---- */

const colours = {};
function luminance(name) {
  const parts = colours[name].match(/[\d.]+/g).slice(0, 3).map(part => part / 255).map(c => c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4);
  return .2126 * parts[0] + .7152 * parts[1] + .0722 * parts[2];
}
function readColours() {
  const probe = document.body.appendChild(document.createElement("i"));
  for (const name of ["--ink", "--soft", "--paper", "--panel", "--on", "--busy", "--good", "--bad"]) {
    probe.style.color = `var(${name})`;
    colours[name] = getComputedStyle(probe).color;
  }
  probe.remove();
}
function checkContrast() {
  for (const [text, ground] of [["--ink", "--paper"], ["--ink", "--panel"], ["--soft", "--paper"], ["--soft", "--panel"], ["--busy", "--paper"],
    ["--bad", "--paper"], ["--on", "--busy"], ["--on", "--good"], ["--on", "--bad"]]) {
    const [more, less] = [luminance(text), luminance(ground)].sort((a, b) => b - a), ratio = (more + .05) / (less + .05);
    expect(`${text} on ${ground} (${ratio.toFixed(1)} to 1)`, ratio >= 4.5, true);
  }
}

/* ---- the page's server and its clock ---- */

window.fetch = async () => {
  if (step === -1) readColours();
  step++;
  if (steps[step].state === null) throw new Error("gone");
  return {json: async () => steps[step].state};
};
const later = window.setTimeout;
window.setTimeout = (next, time) => {
  steps[step].look();
  for (const wrong of ["NaN", "undefined", "null", "[object"])
    expect(wrong, document.querySelector("main").textContent.includes(wrong), false);
  expect("wider than the window", document.documentElement.scrollWidth > window.innerWidth, false);
  if (step + 1 < steps.length) return later(next, time);
  checkContrast();
  document.body.append(`${checks} checks of ${steps.length} states, ${report.length} failed: ${report.join("; ")}.`);
};
