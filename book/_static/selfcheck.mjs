// Self-checks that a reader answers in the page, with no server and no kernel.
//
// A chapter's notebook holds each question as plain text: a paragraph that asks, a list of choices
// ("A. ..."), and a folded <details class="selfcheck"> with the right one ("**C.** ...") and a list
// of what is wrong with the others. `mount` makes radio buttons of it. What it does not recognise,
// and everything where there is no JavaScript, stays the text that it was.
// `book/_ext/selfcheck.py` puts this file *into* the pages that ask something: browsers refuse to
// load modules from a folder, and the book can be read from one.

// ---- pure functions, tested by Node ----

/** The letter that a choice or a comment begins with, "A. ..."; null where there is none. */
export function letterOf(text) {
  return /^\s*([A-Z])\.\s/.exec(text)?.[1] ?? null;
}

/** A short name for a question: another one when its words change, so that old answers lapse. */
export function fingerprint(text) {
  let hash = 0x811c9dc5; // FNV-1a
  for (const letter of text.replace(/\s+/g, " ").trim())
    hash = Math.imul(hash ^ letter.codePointAt(0), 0x01000193);
  return (hash >>> 0).toString(36);
}

/** Whether the letters of a question fit together: one right, and a comment on every other. */
export function fits(choices, right, comments) {
  const wanted = choices.filter((letter) => letter !== right);
  return choices.length > 1 && !choices.includes(null) && new Set(choices).size === choices.length
    && wanted.length === choices.length - 1
    && wanted.length === comments.length && wanted.every((letter) => comments.includes(letter));
}

/** What is known of a question after one more answer. The first right one settles it. */
export function answered(before, letter, right) {
  const { tried = [], done = false } = before ?? {};
  if (done) return { tried, done };
  if (letter === right) return { tried, done: true };
  return { tried: tried.includes(letter) ? tried : [...tried, letter], done };
}

/** The line that says how far a reader has got, from what is known of each question. */
export function score(states) {
  const right = states.filter((state) => state?.done).length;
  const first = states.filter((state) => state?.done && !state.tried.length).length;
  const count = `${right} of ${states.length} right`;
  if (!right) return `${count} so far.`;
  const how = first < right ? first || "none" : right > 1 ? "all" : "and";
  return `${count}, ${how} at the first try.`;
}

/** The stored answers in a text, without anything that is not one of them. */
export function parse(text) {
  let all;
  try { all = JSON.parse(text); } catch { return {}; }
  const sound = (state) => Array.isArray(state?.tried) && typeof state.done === "boolean"
    && state.tried.every((letter) => /^[A-Z]$/.test(letter));
  return Object.fromEntries(Object.entries(all ?? {}).filter(([, state]) => sound(state)));
}

// ---- what stays in the browser ----

const STORE = "unmix-lite-selfcheck";
let memory = null; // where nothing may be stored, answers last as long as the page

function stored() {
  if (memory) return memory;
  try { return parse(localStorage.getItem(STORE)); } catch { return (memory = {}); }
}

function store(changes) {
  // Read again, as another tab may have answered other questions in the meantime.
  const all = { ...stored(), ...changes };
  for (const [name, state] of Object.entries(all)) if (!state) delete all[name];
  try { localStorage.setItem(STORE, JSON.stringify(all)); } catch { memory = all; }
}

// ---- from text to questions ----

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** The nodes of a list's item, which Sphinx wraps in a paragraph and others do not. */
function inside(item) {
  const only = item.children.length === 1 && item.children[0].tagName === "P";
  return [...(only ? item.children[0] : item).childNodes];
}

/** Copies of nodes, without the letter in front. */
function withoutLetter(nodes) {
  const copy = make("div", {}, ...nodes.map((node) => node.cloneNode(true)));
  const walk = document.createTreeWalker(copy, NodeFilter.SHOW_TEXT);
  let text = walk.nextNode();
  while (text && !text.data.trim()) text = walk.nextNode();
  if (text) text.data = text.data.replace(/^\s*[A-Z]\.\s*/, "");
  return [...copy.childNodes];
}

/** What a reader sees, but for formulas: those read differently once they are typeset. */
function words(...elements) {
  return elements.map((element) => {
    const copy = element.cloneNode(true);
    copy.querySelectorAll(".math, mjx-container").forEach((formula) => formula.remove());
    return copy.textContent;
  }).join("\n");
}

/** The question that a folded answer belongs to, or null if it does not look like one. */
function questionOf(details) {
  const list = details.previousElementSibling, ask = list?.previousElementSibling;
  const why = details.querySelector(":scope > ul");
  if (list?.tagName !== "UL" || ask?.tagName !== "P" || !why) return null;
  const answer = [...details.children].filter((e) => e.tagName !== "SUMMARY" && e !== why);
  const right = answer.length ? letterOf(answer[0].textContent) : null;
  const choices = new Map([...list.children].map((e) => [letterOf(e.textContent), e]));
  const comments = new Map([...why.children].map((e) => [letterOf(e.textContent), e]));
  const letters = [...list.children].map((e) => letterOf(e.textContent));
  if (!fits(letters, right, [...why.children].map((e) => letterOf(e.textContent)))) return null;
  return { details, list, ask, right, choices, comments, answer, name: fingerprint(words(ask, list)) };
}

// ---- from questions to forms ----

class Question {
  constructor(parts, changed) {
    Object.assign(this, parts);
    this.radios = new Map();
    this.marks = new Map();
    const legend = make("legend", {}, ...this.ask.childNodes);
    const fields = [...this.choices].map(([letter, item]) => {
      const radio = make("input", { type: "radio", name: `selfcheck-${this.name}`, value: letter });
      const mark = make("span", { class: "selfcheck-mark" });
      this.radios.set(letter, radio);
      this.marks.set(letter, mark);
      return make("label", {}, radio, make("span", {}, ...inside(item), mark));
    });
    this.says = make("div", { class: "selfcheck-says", role: "status" });
    const form = make("form", { class: "selfcheck-question" },
      make("fieldset", {}, legend, ...fields),
      make("button", { type: "submit" }, "Check"), this.says);
    form.addEventListener("submit", (event) => {
      event.preventDefault(); // also what Enter in a radio button does
      this.check();
      changed();
    });
    this.ask.replaceWith(form);
    this.list.remove();
    form.append(this.details); // the answer stays folded until it is asked for
    this.show();
    if (this.state?.done) {
      this.radios.get(this.right).checked = true;
      this.comment(this.right);
    }
  }

  get state() { return stored()[this.name]; }

  check() {
    const chosen = [...this.radios].find(([, radio]) => radio.checked)?.[0];
    if (!chosen) return this.say("", "Choose one of the answers first.");
    store({ [this.name]: answered(this.state, chosen, this.right) });
    this.show();
    this.comment(chosen);
  }

  /** Why a choice is right, or what is wrong with it. */
  comment(letter) {
    if (letter !== this.right)
      return this.say("wrong", make("strong", {}, `✗ Not ${letter}. `),
        ...withoutLetter(inside(this.comments.get(letter))));
    const [first, ...more] = this.answer;
    this.say("right", make("strong", {}, `✓ ${letter} is right. `),
      ...withoutLetter([...first.childNodes]), ...more.map((e) => e.cloneNode(true)));
  }

  say(kind, ...nodes) {
    this.says.dataset.kind = kind;
    this.says.replaceChildren(...nodes);
  }

  /** Marks beside the choices, in signs and words as well as in colour. */
  show() {
    const { tried = [], done = false } = this.state ?? {};
    for (const [letter, mark] of this.marks) {
      const sign = done && letter === this.right ? "✓ right"
        : tried.includes(letter) ? "✗ tried" : "";
      mark.textContent = sign && ` ${sign}`;
    }
  }

  restart() {
    this.radios.forEach((radio) => { radio.checked = false; });
    this.details.open = false;
    this.say("");
    this.show();
  }
}

/** Make every self-check of a page one that can be answered; returns how many questions it has. */
export function mount(root = document) {
  const groups = new Map();
  for (const details of root.querySelectorAll("details.selfcheck")) {
    const parts = questionOf(details);
    const section = details.closest("section") ?? root;
    if (parts) groups.set(section, [...(groups.get(section) ?? []), parts]);
  }
  let count = 0;
  for (const found of groups.values()) {
    const line = make("span", { role: "status" });
    const tell = () => { line.textContent = score(questions.map((question) => question.state)); };
    const questions = found.map((parts) => new Question(parts, tell));
    const again = make("button", { type: "button" }, "Start over");
    again.addEventListener("click", () => {
      store(Object.fromEntries(questions.map((question) => [question.name, null])));
      questions.forEach((question) => question.restart());
      tell();
    });
    const last = questions.at(-1).details.closest("form");
    last.after(make("div", { class: "selfcheck-score" }, make("p", {}, line,
      " Your answers stay in this browser."), again));
    tell();
    count += questions.length;
  }
  return count;
}

if (typeof document !== "undefined") mount();
