// Blind listening tests in a page: ABX and MUSHRA, with no server and no kernel.
// `page.py` puts this text and a test's sounds into HTML; `mount` brings it to life.
// Results stay in this browser (localStorage) until the listener downloads them as CSV.

// ---- what a test is: pure functions, tested by Node ----

/** The chance of at least `correct` right answers in `trials` by guessing. */
export function guessing(correct, trials) {
  let term = 2 ** -trials, tail = 0; // the probability of exactly k right, from k = 0 on
  for (let k = 0; k <= trials; k++) {
    if (k >= correct) tail += term;
    term *= (trials - k) / (k + 1);
  }
  return Math.min(1, tail);
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
  constructor(sounds) {
    this.sources = sounds; // label -> base64 of an MP3
    this.gains = null;
  }

  async open() {
    this.context = new AudioContext();
    const buffers = await Promise.all(Object.values(this.sources).map((text) =>
      this.context.decodeAudioData(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer)));
    const start = this.context.currentTime + 0.1;
    this.gains = {};
    Object.keys(this.sources).forEach((label, i) => {
      const gain = this.context.createGain();
      gain.gain.value = 0;
      gain.connect(this.context.destination);
      const node = this.context.createBufferSource();
      Object.assign(node, { buffer: buffers[i], loop: true });
      node.connect(gain);
      node.start(start); // all at one instant: what is switched is the sound, never the place
      this.gains[label] = gain;
    });
  }

  /** Let one sound through, or none; the others fade within 10 ms, so that no click tells. */
  async play(label) {
    if (!this.gains) {
      this.opening ??= this.open();
      await this.opening;
    }
    await (label === null ? this.context.suspend() : this.context.resume());
    for (const [name, gain] of Object.entries(this.gains))
      gain.gain.setTargetAtTime(name === label ? 1 : 0, this.context.currentTime, 0.003);
  }
}

let playing = null; // one test at a time makes sound on a page
async function play(stage, label) {
  if (playing && playing !== stage) await playing.play(null);
  playing = stage;
  await stage.play(label);
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

/** Buttons of which one at most is pressed: the sound that plays. */
function playButtons(stage, choices, heard = () => {}) {
  const buttons = choices.map(([text, label]) => make("button", {
    type: "button", "aria-pressed": "false",
    async onclick() {
      buttons.forEach((b) => b.setAttribute("aria-pressed", String(b === this && text !== "Stop")));
      await play(stage, typeof label === "function" ? label() : label);
      heard(text);
    },
  }, text));
  return buttons;
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
  const stage = new Stage(test.sounds);
  const pairs = test.pairs; // [{item, a, b}]
  let pair, x, trial, right;
  const chooser = make("select", { onchange: begin },
    ...pairs.map(({ item }, i) => make("option", { value: i }, item)));
  const place = make("p", { class: "place" });
  const verdicts = ["A", "B"].map((letter) =>
    make("button", { type: "button", onclick: () => answer(letter) }, `X is ${letter}`));
  const again = make("button", { type: "button", onclick: begin }, "Begin again");
  const listen = playButtons(stage, [
    ["A", () => pair.a], ["B", () => pair.b], ["X", () => (x === "A" ? pair.a : pair.b)],
    ["Stop", null]]);

  function draw() {
    x = Math.random() < 0.5 ? "A" : "B";
    place.textContent = `Trial ${trial + 1} of ${test.trials}`;
  }
  function begin() {
    [pair, trial, right] = [pairs[chooser.value], 0, 0];
    verdicts.forEach((button) => (button.disabled = false));
    say("");
    draw();
  }
  function answer(letter) {
    right += letter === x;
    if (++trial < test.trials) { say(`Noted: X is ${letter}.`); return draw(); }
    verdicts.forEach((button) => (button.disabled = true));
    listen.at(-1).click();
    const p = guessing(right, test.trials);
    const kept = keep("abx", [{ listener: root.listener(), item: pair.item, correct: right,
      trials: test.trials, date: new Date().toISOString().slice(0, 10) }]);
    place.textContent = "Done.";
    say(`${right} of ${test.trials} right. Somebody who only guesses gets that many or more in ` +
      `${(100 * p).toFixed(1)} % of such tests.` + (kept ? "" : " This browser keeps no results."));
  }
  root.append(make("label", {}, "Which pair? ", chooser), place,
    make("div", { class: "buttons", role: "group", "aria-label": "Listen" }, ...listen),
    make("div", { class: "buttons", role: "group", "aria-label": "Answer" }, ...verdicts, again));
  begin();
}

const WORDS = ["bad", "poor", "fair", "good", "excellent"];

function mushra(test, root, say) {
  const stage = new Stage(test.sounds);
  const order = shuffled(test.conditions);
  const letters = order.map((_, i) => String.fromCharCode(65 + i));
  const moved = new Set(), heard = new Set();
  const buttons = playButtons(stage, [["Reference", test.reference],
    ...letters.map((letter, i) => [letter, order[i]]), ["Stop", null]], (text) => heard.add(text));
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

  function reveal() {
    const todo = letters.filter((letter) => !moved.has(letter) || !heard.has(letter));
    if (todo.length) return say(`Please listen to and rate ${todo.join(", ")} first.`);
    buttons.at(-1).click();
    finish.disabled = true;
    sliders.forEach((slider) => (slider.disabled = true));
    const rows = order.map((condition, i) => ({ listener: root.listener(), item: test.item,
      condition: condition === test.reference ? "reference" : condition,
      score: Number(sliders[i].value), ...(test.notes?.[condition] ?? {}),
      date: new Date().toISOString().slice(0, 10) }));
    const kept = keep("mushra", rows);
    const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))]
      .filter((name) => !["listener", "item", "date"].includes(name));
    const line = (row, i) => make("tr", {}, make("td", {}, letters[i]),
      ...columns.map((name) => make("td", {}, String(row[name] ?? ""))));
    root.append(make("table", {}, make("thead", {}, make("tr", {}, make("th", {}, "sound"),
      ...columns.map((name) => make("th", {}, name)))), make("tbody", {}, ...rows.map(line))));
    const hidden = rows.find((row) => row.condition === "reference").score;
    say(`The hidden reference got ${hidden} from you.` +
      (hidden < 90 ? " A panel would ask you to listen again: it should have had 90 or more." : "") +
      (kept ? "" : " This browser keeps no results."));
  }
  root.append(make("div", { class: "buttons" }, buttons[0], buttons.at(-1)),
    ...letters.map((_, i) => make("div", { class: "rating" }, buttons[i + 1], sliders[i],
      make("span", {}, "not rated"))),
    make("div", { class: "buttons" }, finish));
}

/** Bring the test in the element `id` to life. */
export function mount(id) {
  const root = document.getElementById(id);
  const test = JSON.parse(root.querySelector("script").textContent);
  root.querySelector(".waiting").remove();
  const status = make("p", { role: "status", "aria-live": "polite" });
  const name = make("input", { type: "text", value: "me", size: 12, maxlength: 40 });
  root.listener = () => name.value.trim() || "me";
  root.append(make("label", {}, "Your name or a nickname: ", name));
  ({ abx, mushra })[test.kind](test, root, (text) => (status.textContent = text));
  root.append(status, results(test.kind, (text) => (status.textContent = text)));
}
