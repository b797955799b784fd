"use strict";
const content = JSON.parse(document.getElementById("content").textContent);
const PAGE = document.body.dataset.page, PLACE = "listening test " + PAGE;
const find = (selector) => document.querySelector(selector), all = (selector) => [...document.querySelectorAll(selector)];

// FNV-1a of a text, and numbers in [0, 1) that follow from it (mulberry32).
function hash(text) {
  let value = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) value = Math.imul(value ^ byte, 0x01000193);
  return value >>> 0;
}
function generator(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let value = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}
function shuffled(list, random) {
  const result = [...list];
  for (let last = result.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [result[last], result[other]] = [result[other], result[last]];
  }
  return result;
}
// How many places lie between the two trials of the same sounds that are closest.
function closest(order) {
  const last = {};
  return Math.min(order.length, ...order.map((trial, place) => {
    const sounds = [...trial.sounds].sort().join(), gap = sounds in last ? place - last[sounds] : order.length;
    last[sounds] = place;
    return gap;
  }));
}
// An order of the listener's own, in which what comes twice comes well apart.
function arranged(trials, random) {
  let best = shuffled(trials, random);
  for (let tries = 0; tries < 500 && closest(best) < trials.length / 4; tries++) {
    const order = shuffled(trials, random);
    if (closest(order) > closest(best)) best = order;
  }
  return best.map((trial) => ({ id: trial.id, swapped: random() < 0.5 }));
}

// What is known of this listener; kept, so that the test can go on after the page was closed.
let state = null;
function save() {
  try { localStorage.setItem(PLACE, JSON.stringify(state)); } catch { find("#no-storage").hidden = false; }
}
function saved() {
  try { return JSON.parse(localStorage.getItem(PLACE)); } catch { return null; }
}
function begin(rater) {
  const seed = hash(rater + " " + PAGE), random = generator(seed);
  const rounds = Array.from({ length: content.rounds }, () => shuffled(Object.keys(content.tones).sort(), random));
  state = { rater, seed, started: new Date().toISOString(), finished: "", step: "volume", index: 0, rounds, headphones: [],
    practice: shuffled(content.practice, random).map((trial) => ({ id: trial.id, swapped: random() < 0.5 })),
    trials: arranged(content.trials, random), answers: [] };
}

// One sound at a time; `ended` is called when it was heard to its end.
let audio = null, pause = 0;
function play(uri, button, ended) {
  stop();
  audio = new Audio(uri);
  audio.onended = () => { button.classList.remove("playing"); ended(); };
  button.classList.add("playing");
  find("#trouble").textContent = "";
  audio.play().catch((error) => {
    if (error.name === "AbortError") return;
    button.classList.remove("playing");
    find("#trouble").textContent = "The sound cannot be played (" + error.message + "). Please try again, or another browser.";
  });
}
function stop() {
  clearTimeout(pause);
  if (audio) { audio.onended = null; audio.pause(); audio = null; }
  for (const button of all(".playing")) button.classList.remove("playing");
}

function show(step) {
  stop();
  for (const section of all("main > section")) section.hidden = true;
  const section = find(step === "practice" || step === "trials" ? "#trial" : "#" + step);
  section.hidden = false;
  ({ headphones: nextRound, practice: nextTrial, trials: nextTrial, end: finish })[step]?.();
  section.querySelector("h1").focus({ preventScroll: true });
  scrollTo(0, 0);
}
function go(step) {
  Object.assign(state, { step, index: 0 });
  save();
  show(step);
}

function nextRound() {
  find("#round").textContent = `Round ${state.headphones.length + 1} of ${content.rounds}`;
  find("#quietest").disabled = true;
}
function playTones() {
  const names = state.rounds[state.headphones.length], button = find("#tones");
  const tone = (number) => play(content.tones[names[number]], button, () => {
    if (number === 2) { find("#quietest").disabled = false; return; }
    button.classList.add("playing");
    pause = setTimeout(tone, 300, number + 1);
  });
  find("#quietest").disabled = true;
  tone(0);
}
function answerRound(number) {
  state.headphones.push(state.rounds[state.headphones.length][number] === "quiet");
  save();
  if (state.headphones.length === content.rounds) return go("before-practice");
  nextRound();
  find("#tones").focus();
}

let shown = 0, plays = [0, 0], heard = [false, false];
const current = () => state[state.step][state.index];
function nextTrial() {
  const many = state[state.step].length, place = state.index + 1;
  find("#trial-title").textContent = `${state.step === "practice" ? "Practice pair" : "Pair"} ${place} of ${many}`;
  Object.assign(find("#progress"), { value: state.index, max: many });
  [shown, plays, heard] = [performance.now(), [0, 0], [false, false]];
  for (const button of all(".side")) button.classList.remove("heard");
  for (const radio of all("[name=rating]")) radio.checked = false;
  find("#rating").disabled = find("#next").disabled = true;
  find("#hint").textContent = "Listen to both sounds to their end.";
}
function playSide(side) {
  const { id, swapped } = current(), trial = [...content.practice, ...content.trials].find((trial) => trial.id === id);
  const button = all(".side")[side];
  plays[side]++;
  play(content.sounds[trial.sounds[swapped ? 1 - side : side]], button, () => {
    heard[side] = true;
    button.classList.add("heard");
    if (heard[0] && heard[1]) {
      find("#rating").disabled = false;
      find("#hint").textContent = "Listen again, or choose a number.";
    } else find("#hint").textContent = `Now listen to sound ${side ? "A" : "B"}.`;
  });
}
function choose(value) {
  const radio = find(`[name=rating][value="${value}"]`);
  if (!radio || find("#rating").disabled) return;
  radio.checked = true;
  radio.focus();
  find("#next").disabled = false;
}
function next() {
  const rating = find("[name=rating]:checked");
  if (!rating || find("#next").disabled) return;
  if (state.step === "trials") {
    const { id, swapped } = current(), seconds = Math.round((performance.now() - shown) / 10) / 100;
    state.answers.push({ position: state.index + 1, trial: id, swapped: Number(swapped), rating: Number(rating.value),
      plays_a: plays[0], plays_b: plays[1], seconds, at: new Date().toISOString() });
  }
  state.index++;
  if (state.index < state[state.step].length) { save(); return show(state.step); }
  if (state.step === "trials") state.finished = new Date().toISOString();
  go(state.step === "trials" ? "end" : "before-trials");
}

function exported() {
  const { rater, seed, started, finished, headphones, answers } = state;
  return { rater, seed, page: PAGE, started, finished, headphones_right: headphones.filter(Boolean).length,
    headphones_of: headphones.length, trials: answers };
}
function asCsv({ trials, ...facts }) {
  const rows = trials.map((answer) => ({ ...facts, ...answer }));
  return [Object.keys(rows[0]), ...rows.map(Object.values)].map((row) => row.join(",") + "\n").join("");
}
function download(text, type, ending) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = `ratings_${state.rater}_${PAGE.slice(0, 6)}.${ending}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  find("#saved").textContent = `Saved as ${link.download}, where your browser keeps downloads.`;
}
function finish() { find("#text").value = asCsv(exported()); }
function forget() {
  if (!confirm("Delete the answers from this browser? They cannot be brought back.")) return;
  localStorage.removeItem(PLACE);
  location.reload();
}

find("#start").onsubmit = (event) => { event.preventDefault(); begin(find("#rater").value); go("volume"); };
find("#continue").onclick = () => { state = saved(); show(state.step); };
find("#anew").onclick = find("#forget").onclick = forget;
find("#noise").onclick = (event) => { find("#volume-done").disabled = false; play(content.noise, event.target, () => {}); };
find("#volume-done").onclick = () => go("headphones");
find("#tones").onclick = playTones;
for (const button of all("#quietest button")) button.onclick = () => answerRound(Number(button.value));
find("#before-practice .go").onclick = () => go("practice");
find("#before-trials .go").onclick = () => go("trials");
for (const button of all(".side")) button.onclick = () => playSide(Number(button.value));
for (const radio of all("[name=rating]")) radio.onchange = () => choose(radio.value);
find("#next").onclick = next;
find("#save-csv").onclick = () => download(asCsv(exported()), "text/csv", "csv");
find("#save-json").onclick = () => download(JSON.stringify(exported(), null, 2) + "\n", "application/json", "json");
document.addEventListener("keydown", (event) => {
  if (find("#trial").hidden || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  const key = event.key.toLowerCase();
  if (key === "a" || key === "b") playSide(key === "a" ? 0 : 1);
  else if (key >= "1" && key <= "9") choose(key);
  else if (key === "enter" && event.target.tagName !== "BUTTON") { event.preventDefault(); next(); }
});

const SIGNS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"; // without those that look alike
find("#rater").value = "R" + Array.from(crypto.getRandomValues(new Uint8Array(6)), (byte) => SIGNS[byte % 32]).join("");
try { localStorage.setItem("?", ""); localStorage.removeItem("?"); } catch { find("#no-storage").hidden = false; }
if (saved()) {
  const { rater, answers, trials, step } = saved(), ready = step === "end" ? " Your answers can be saved." : "";
  find("#resume-text").textContent = `Welcome back. You have rated ${answers.length} of ${trials.length} pairs as ${rater}.` + ready;
  find("#resume").hidden = false;
  find("#start").hidden = true;
}
