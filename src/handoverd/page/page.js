// SPDX-License-Identifier: MIT
// Keeps the page up to date. The server makes all markup: what is here asks for it again when
// something has happened, and changes the document where it differs, so that focus, selection and
// scroll position stay, and what moves can be seen to move.
"use strict";

const at = (id) => document.getElementById(id);

// ---- the document becomes what the server says

// What the script owns stays; it reads what the server has to say about it from its data-.
function takeAttributes(old, fresh) {
  const own = old.hasAttribute("data-own");
  for (const { name, value } of fresh.attributes) {
    if (own && !name.startsWith("data-")) continue;
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  if (own) return;
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
}

const keyOf = (node) => node.nodeType === Node.ELEMENT_NODE ? node.dataset.key || node.id : "";
const isSame = (old, fresh) => old.nodeName === fresh.nodeName && keyOf(old) === keyOf(fresh);
const isBlank = (node) => node.nodeType === Node.TEXT_NODE && !node.data.trim();

// What has a key keeps its identity when something comes before it or goes; their order is fixed.
function become(old, fresh) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  takeAttributes(old, fresh);
  if (old.hasAttribute("data-own")) return;
  const children = [...fresh.childNodes].filter((node) => !isBlank(node));
  const keys = new Set(children.map(keyOf));
  let place = old.firstChild;
  for (const wanted of children) {
    while (place && (isBlank(place) || !keys.has(keyOf(place)))) place = removed(place);
    if (place && isSame(place, wanted)) {
      become(place, wanted);
      place = place.nextSibling;
    } else {
      const added = old.insertBefore(document.importNode(wanted, true), place);
      if (added.nodeType === Node.ELEMENT_NODE) added.classList.add("new");  // until next time
    }
  }
  while (place) place = removed(place);
}

function removed(node) {
  const next = node.nextSibling;
  node.remove();
  return next;
}

// ---- looking again

let isAsking = false;
let askAgain = false;
let timer;

// One question at a time. What happens meanwhile is asked for afterwards.
async function look() {
  if (isAsking) {
    askAgain = true;
    return;
  }
  isAsking = true;
  clearTimeout(timer);
  do {
    askAgain = false;
    try {
      // Where a listener outlives its process, a question waits in its queue.
      const answer = await fetch("/live", { signal: AbortSignal.timeout(2000) });
      show(await answer.text());
      sayLink(true);
    } catch {
      sayLink(false);
    }
  } while (askAgain);
  isAsking = false;
  timer = setTimeout(tick, 1000);
}

// What changes without an event: time, and the number of requests.
function tick() {
  if (!document.hidden) look();
}

function show(markup) {
  const fresh = new DOMParser().parseFromString(markup, "text/html").getElementById("live");
  if (!fresh) throw new Error("no page");
  // A new version may have another style: its markup would not look right here.
  if (fresh.dataset.page !== at("live").dataset.page) return location.reload();
  become(at("live"), fresh);
  document.title = fresh.dataset.title;
}

// ---- the event stream

function follow() {
  const events = new EventSource("/events");
  events.onopen = look;
  events.addEventListener("status", look);
  events.addEventListener("lifecycle", (event) => {
    const { what, text } = JSON.parse(event.data);
    at("news").textContent = text;
    if (what === "rolled_back") say("", "");  // what took over is gone
    look();
  });
  // It connects again by itself, to whoever serves then, unless it was told that it may not.
  events.onerror = () => {
    if (events.readyState === EventSource.CLOSED) setTimeout(follow, 5000);
  };
}

// A handover takes milliseconds: of what is over soon nobody needs to hear.
const reconnectingAfter = 3000;
let lastHeard = Date.now();

function sayLink(isUp) {
  if (isUp) lastHeard = Date.now();
  else if (Date.now() - lastHeard < reconnectingAfter) return;
  const link = at("link");
  const word = isUp ? "live" : "reconnecting";
  if (link.textContent === word) return;
  link.className = isUp ? "link up" : "link down";
  link.textContent = word;
  link.hidden = false;
}

// ---- requests per second, which takes two looks

const samples = [];
const seconds = 60;
const smooth = 3;

function sample() {
  const rate = at("rate");
  if (!rate) return;
  samples.push(Number(rate.dataset.requests));
  if (samples.length > seconds + smooth) samples.shift();
  if (samples.length < 2) return;
  const rates = [];
  for (let i = 1; i < samples.length; ++i) {
    const before = Math.max(0, i - smooth);
    rates.push(Math.max(0, samples[i] - samples[before]) / (i - before));
  }
  rate.textContent = Math.round(rates[rates.length - 1]).toLocaleString("en") + " per second";
  const most = Math.max(1, ...rates);
  const points = rates.slice(-seconds).reverse();
  at("spark").setAttribute("d", "M" + points.map(
    (each, i) => (seconds - 1 - i) + " " + (19 - 18 * each / most).toFixed(1)).join("L"));
}

// ---- the button

const button = at("reload");

async function reload() {
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  say("", "Reloading…");
  try {
    const answer = await (await fetch("/reload", { method: "POST" })).json();
    say(answer.succeeded ? "ok" : "failed", answer.message);
  } catch {
    say("failed", "There was no answer: look at the log of handoverd.");
  }
  button.removeAttribute("aria-disabled");
  look();
}

// How it ended is in the history too: here it is only for who has pressed the button.
const told = 60000;
let forgetting;

function say(kind, text) {
  clearTimeout(forgetting);
  if (kind) forgetting = setTimeout(say, told, "", "");
  at("outcome").className = "outcome " + kind;
  at("outcome").textContent = text;
}

button.hidden = false;
button.addEventListener("click", reload);
document.addEventListener("visibilitychange", tick);
follow();
look();
setInterval(sample, 1000);
