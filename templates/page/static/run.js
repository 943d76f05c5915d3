// A run as it goes on: states into the graph and the list, what steps say as they say it.
// What asks for an answer, and the end, are parts of the page that the server makes anew.
import { made } from "./page.js";

const steps = document.getElementById("steps");
const graph = document.getElementById("graph");
const run = steps.dataset.run;
const rows = new Map();
const said = new Map();
let waits = "";
let missing = false;

for (const row of steps.children) rows.set(row.dataset.key, row);
for (const row of steps.children) paint(row.dataset.step, row.dataset.state);
if (steps.dataset.state === "running") { follow(); count(); }
else dim();

function paint(step, state) {
  if (!step) return;
  const box = graph.querySelector(`[data-step="${CSS.escape(step)}"]`);
  if (box) box.dataset.state = state;
}

// What a run that has ended came to, and what it passed by.
function dim() {
  for (const box of graph.querySelectorAll("[data-step]:not([data-state])")) box.dataset.state = "skipped";
}

// How long it goes on, by the server's clock: the browser's may be another.
function count() {
  const shown = document.querySelector("[data-since]");
  if (!shown) return;
  const seconds = Number(shown.dataset.since) + Math.round(performance.now() / 1000);
  shown.textContent = seconds < 120 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  setTimeout(count, 1000);
}

function set(row, state, note, seconds) {
  const badge = row.querySelector(".badge");
  if (row.dataset.state !== state) {
    row.dataset.state = badge.dataset.state = state;
    badge.textContent = state;
    paint(row.dataset.step, state);
  }
  if (note !== undefined) row.querySelector(".note").textContent = note;
  if (seconds !== undefined && seconds !== null) row.querySelector(".end").textContent = `${seconds.toFixed(2)} s`;
}

function tree(told) {
  for (const one of told.rows) {
    const row = rows.get(`${one.run} ${one.step}`);
    if (!row) { missing = true; continue; }
    set(row, one.state, note(one), one.seconds);
  }
  const asked = JSON.stringify((told.waits ?? []).map((one) => [one.run, one.step, one.for]));
  if (asked !== waits || missing) swap(missing ? ["waits", "steps"] : ["waits"]);
  waits = asked;
  missing = false;
}

function note(one) {
  if (one.loop) return `${one.loop.done} of ${one.loop.all}${one.loop.failed ? `, ${one.loop.failed} failed` : ""}`;
  const busy = one.busy?.[0];
  return busy && busy.attempt > 1 ? `attempt ${busy.attempt}: ${busy.failure ?? ""}` : "";
}

function piece(told) {
  const key = `${told.run} ${told.step}`;
  let shown = said.get(key);
  if (told.text === undefined || (!told.text && !shown)) return;
  if (!shown) {
    const article = made("article", "");
    shown = made("p", "text");
    article.append(made("h3", "", told.step), shown);
    document.getElementById("pieces").append(article);
    document.getElementById("said").hidden = false;
    said.set(key, shown);
  }
  if (told.offset === 0) shown.textContent = "";
  shown.append(told.text);
}

async function swap(names) {
  const answer = await fetch(location.pathname, { headers: { accept: "text/html" } });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const name of names) {
    const part = document.adoptNode(fresh.getElementById(name));
    const old = document.getElementById(name);
    if (name === "steps") {
      rows.clear();
      old.replaceChildren(...part.children);
      for (const row of old.children) {
        rows.set(row.dataset.key, row);
        paint(row.dataset.step, row.dataset.state);
      }
    } else if (!old.contains(document.activeElement) || name !== "waits") old.replaceWith(part);
  }
  document.title = fresh.title;
}

// The browser comes again by itself, with the number of what it saw last, until the end.
function follow() {
  const feed = new EventSource(`/api/v2/runs/${encodeURIComponent(run)}/events`);
  feed.addEventListener("progress", (event) => tree(JSON.parse(event.data)));
  feed.addEventListener("piece", (event) => piece(JSON.parse(event.data)));
  feed.addEventListener("end", async () => {
    feed.close();
    await swap(["top", "ended", "waits", "steps"]);
    dim();
  });
}
