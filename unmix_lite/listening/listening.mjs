// Blind listening tests in a page: ABX and MUSHRA, with no server and no kernel.
// `page.py` puts this text and a test's sounds into HTML; `mount` brings it to life.
// Results stay in this browser (localStorage) until the listener downloads them as CSV.

import {dress} from "../explore/kit/look.mjs";
import {bytesOf, decoded} from "../explore/kit/sounds.mjs";
import {Track, Transport} from "../explore/kit/transport.mjs";

// ---- what a test is: pure functions, tested by Node ----

/** The chance of at least `correct` right answers in `trials` by guessing. */
export function abxPValue(correct, trials) {
  let term = 2 ** -trials, tail = 0; // the probability of exactly k right, from k = 0 on
  for (let k = 0; k <= trials; k++) {
    if (k >= correct) tail += term;
    term *= (trials - k) / (k + 1);
  }
  return Math.min(1, tail);
}

/** A p-value in per cent, as a reader takes it: never as nothing. */
export function percent(p) {
  return p < 0.001 ? "less than 0.1 %" : `${(100 * p).toFixed(1)} %`;
}

/** What the CSV holds of an ABX test: `trials` are [given, true] letters, of `wanted` planned. */
export function abxRow({ listener, item, trials, wanted, date }) {
  const correct = trials.filter(([given, truth]) => given === truth).length;
  const done = trials.length === wanted;
  return { listener, item, correct, answered: trials.length, trials: wanted,
    p: done ? Number(abxPValue(correct, wanted).toPrecision(4)) : "", finished: done ? "yes" : "no",
    answers: trials.map(([given]) => given).join(""),
    x: trials.map(([, truth]) => truth).join(""), date };
}

/** A fair permutation (Fisher and Yates). */
export function shuffled(items, random = Math.random) {
  const order = [...items];
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [order[last], order[other]] = [order[other], order[last]];
  }
  return order;
}

/** Rows as CSV (RFC 4180): columns in the order of their first appearance. */
export function toCsv(rows) {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cell = (value) => {
    const text = String(value ?? "");
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [columns, ...rows.map((row) => columns.map((name) => row[name]))]
    .map((line) => line.map(cell).join(",") + "\r\n").join("");
}

// ---- sound: all versions run in step, and one of them is let through ----

class Stage {
  constructor({ sounds, rate }) {
    Object.assign(this, { sounds, rate, transport: null, onsilence: () => {} });
  }

  async open() {
    const sides = await Promise.all(
      Object.values(this.sounds).map((text) => decoded(bytesOf(text), this.rate)));
    this.transport = new Transport(sides.map((both) => new Track(both, this.rate)));
    // Also when another player of the page begins.
    this.transport.onchange = () => { if (!this.transport.playing) this.onsilence(); };
  }

  /** Let one sound through, or none; what is switched is the sound, never the place. */
  async play(label) {
    this.wanted = label; // whoever asks last is obeyed, however long the sounds take to open
    if (!this.opening && label === null) return;
    this.opening ??= this.open();
    await this.opening;
    Object.keys(this.sounds).forEach((name, i) => this.transport.setGain(i, Number(name === this.wanted)));
    if (this.wanted === null) this.transport.pause();
    else this.transport.play();
  }
}

// ---- results ----

const STORE = "unmix-lite-listening";

function stored() {
  try { return JSON.parse(localStorage.getItem(STORE)) ?? {}; } catch { return {}; }
}

function keep(kind, rows) {
  const all = stored();
  all[kind] = [...(all[kind] ?? []), ...rows];
  try { localStorage.setItem(STORE, JSON.stringify(all)); return true; } catch { return false; }
}

function download(kind) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([toCsv(stored()[kind] ?? [])], { type: "text/csv" }));
  link.download = `${kind}.csv`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

function forget(kind) {
  const all = stored();
  delete all[kind];
  try { localStorage.setItem(STORE, JSON.stringify(all)); } catch { /* nothing was kept */ }
}

// ---- the page ----

/** An element with attributes, listeners (`onclick`) and children. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes))
    name.startsWith("on") ? element.addEventListener(name.slice(2), value)
      : value === true ? element.setAttribute(name, "")
      : value !== false && element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Buttons that play, of which one at most is pressed: { buttons, stop }. */
function playButtons(stage, choices, heard = () => {}) {
  const press = (pressed) =>
    buttons.forEach((b) => b.setAttribute("aria-pressed", String(b === pressed)));
  const buttons = choices.map(([text, label]) => make("button", {
    type: "button", "aria-pressed": "false",
    onclick() {
      press(this);
      heard(text);
      stage.play(typeof label === "function" ? label() : label);
    },
  }, text));
  function stop() {
    press(null);
    stage.play(null);
  }
  stage.onsilence = () => press(null);
  const quiet = make("button", { type: "button", onclick: stop }, "Stop");
  return { buttons, quiet, stop };
}

/** Letters play, Escape stops, while the test has the focus and nobody is typing. */
function listenToKeys(root, buttons, stop) {
  root.tabIndex = -1; // a click anywhere in the test gives it the focus
  root.addEventListener("keydown", (event) => {
    const typing = event.target.matches("[type=text], select");
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const button = buttons.find((b) => b.textContent === event.key.toUpperCase());
    if (button) button.click();
    else if (event.key === "Escape") stop();
    else return;
    event.preventDefault();
  });
}

function results(kind, say) {
  return make("p", { class: "results" },
    make("button", { type: "button", onclick: () => {
      const count = (stored()[kind] ?? []).length;
      if (count) download(kind);
      say(count ? `${count} rows saved as ${kind}.csv.` : "There are no results yet.");
    } }, "Download results (CSV)"),
    make("button", { type: "button", onclick: () => {
      forget(kind);
      say("Your results were removed from this browser.");
    } }, "Forget results"));
}

function abx(test, root, say) {
  const pairs = test.pairs; // [{item, a, b}]
  let pair, x, trials = [], heard = new Set();
  const chooser = make("select", { onchange: begin },
    ...pairs.map(({ item }, i) => make("option", { value: i }, item)));
  const place = make("p", { class: "place" });
  const verdicts = ["A", "B"].map((letter) =>
    make("button", { type: "button", onclick: () => answer(letter) }, `X is ${letter}`));
  const again = make("button", { type: "button", onclick: begin }, "Begin again");
  const { buttons, quiet, stop } = playButtons(new Stage(test), [
    ["A", () => pair.a], ["B", () => pair.b], ["X", () => (x === "A" ? pair.a : pair.b)]],
    (letter) => heard.add(letter));

  function draw() {
    x = Math.random() < 0.5 ? "A" : "B";
    heard.delete("X"); // this X is another one
    place.textContent = `Trial ${trials.length + 1} of ${test.trials}`;
  }
  function keepTest() {
    return keep("abx", [abxRow({ listener: root.listener(), item: pair.item, trials,
      wanted: test.trials, date: new Date().toISOString().slice(0, 10) })]);
  }
  function begin() {
    const broken = pair && trials.length && trials.length < test.trials;
    if (broken) keepTest();
    stop();
    say(broken ? `The test before was not finished: ${trials.length} of ${test.trials} answers. ` +
      "Your results keep it, as unfinished." : "");
    [pair, trials, heard] = [pairs[chooser.value], [], new Set()];
    for (const button of [...buttons, ...verdicts]) button.disabled = false;
    draw();
  }
  function answer(letter) {
    const missing = ["A", "B", "X"].filter((sound) => !heard.has(sound));
    if (missing.length) return say(`Please listen to ${missing.join(", ")} first.`);
    stop(); // or the X that was would go on sounding as if it were the next
    trials.push([letter, x]);
    if (trials.length < test.trials) {
      say(`Noted: X is ${letter}. Now there is a new X.`);
      return draw();
    }
    for (const button of [...buttons, ...verdicts]) button.disabled = true;
    const right = trials.filter(([given, truth]) => given === truth).length;
    const kept = keepTest();
    place.textContent = "Done.";
    say(`${right} of ${test.trials} right. Somebody who only guesses gets that many or more in ` +
      `${percent(abxPValue(right, test.trials))} of such tests.` +
      (kept ? "" : " This browser keeps no results."));
  }
  root.append(make("label", {}, "Which pair? ", chooser), place,
    make("div", { class: "buttons", role: "group", "aria-label": "Listen" }, ...buttons, quiet),
    make("div", { class: "buttons", role: "group", "aria-label": "Answer" }, ...verdicts, again));
  listenToKeys(root, buttons, stop);
  begin();
}

const WORDS = ["bad", "poor", "fair", "good", "excellent"];

function mushra(test, root, say) {
  const stage = new Stage(test);
  const body = make("div");
  root.append(body);
  begin();

  /** A fresh test, in a new order. */
  function begin() {
    const order = shuffled(test.conditions);
    const letters = order.map((_, i) => String.fromCharCode(65 + i));
    const moved = new Set(), heard = new Set();
    const { buttons, quiet, stop } = playButtons(stage, [["Reference", test.reference],
      ...letters.map((letter, i) => [letter, order[i]])], (text) => heard.add(text));
    const sliders = letters.map((letter) => make("input", {
      type: "range", min: 0, max: 100, value: 50, "aria-label": `rating of ${letter}`,
      oninput() {
        moved.add(letter);
        const word = WORDS[Math.min(4, Math.floor(this.value / 20))];
        this.setAttribute("aria-valuetext", `${this.value}, ${word}`);
        this.nextSibling.textContent = `${this.value} ${word}`;
      },
    }));
    const finish = make("button", { type: "button", onclick: reveal }, "Finish");
    const end = make("div", { class: "buttons" }, finish);

    function reveal() {
      const todo = letters.filter((letter) => !moved.has(letter) || !heard.has(letter));
      if (todo.length) return say(`Please listen to and rate ${todo.join(", ")} first.`);
      stop();
      for (const element of [...buttons, ...sliders]) element.disabled = true;
      const rows = order.map((condition, i) => ({ listener: root.listener(), item: test.item,
        condition: condition === test.reference ? "reference" : condition,
        score: Number(sliders[i].value), ...(test.notes?.[condition] ?? {}),
        date: new Date().toISOString().slice(0, 10) }));
      const kept = keep("mushra", rows);
      const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))]
        .filter((name) => !["listener", "item", "date"].includes(name));
      const line = (row, i) => make("tr", {}, make("td", {}, letters[i]),
        ...columns.map((name) => make("td", {}, String(row[name] ?? ""))));
      body.append(make("table", {}, make("thead", {}, make("tr", {}, make("th", {}, "sound"),
        ...columns.map((name) => make("th", {}, name)))), make("tbody", {}, ...rows.map(line))));
      const again = make("button", { type: "button", onclick: () => { say(""); begin(); } },
        "Rate again, in a new order");
      finish.replaceWith(again);
      again.focus();
      const hidden = rows.find((row) => row.condition === "reference").score;
      say(`The hidden reference got ${hidden} from you.` +
        (hidden < 90 ? " A panel would ask you to listen again: it should have had 90 or more." : "") +
        (kept ? "" : " This browser keeps no results."));
    }
    body.replaceChildren(make("div", { class: "buttons" }, buttons[0], quiet),
      ...letters.map((_, i) => make("div", { class: "rating" }, buttons[i + 1], sliders[i],
        make("span", {}, "not rated"))), end);
  }
}

/** Bring the test in the element `id` to life. */
export function mount(id) {
  const root = document.getElementById(id);
  const test = JSON.parse(root.querySelector("script").textContent);
  root.querySelector(".waiting").remove();
  dress(root);
  const status = make("p", { role: "status", "aria-live": "polite" });
  const name = make("input", { type: "text", value: "me", size: 12, maxlength: 40 });
  root.listener = () => name.value.trim() || "me";
  root.append(make("label", {}, "Your name or a nickname: ", name));
  ({ abx, mushra })[test.kind](test, root, (text) => (status.textContent = text));
  root.append(status, results(test.kind, (text) => (status.textContent = text)));
}
