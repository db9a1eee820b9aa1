// Some words to choose one of: a group of radio buttons, by click and by the arrow keys.

import {h} from "./look.mjs";

export class Radios {
  /** words: of the buttons. numbered: a key beside each, which is for who has the group to obey. */
  constructor(label, words, onchoose, {styles = [], numbered = false} = {}) {
    this.buttons = words.map((text, i) => h("button", {
      type: "button", role: "radio", style: styles[i] || null, onclick: () => onchoose(i),
    }, text, numbered && i < 9 ? h("kbd", {"aria-hidden": "true"}, i + 1) : null));
    this.element = h("div", {class: "chips", role: "radiogroup", "aria-label": label}, ...this.buttons);
    this.element.onkeydown = (event) => this.key(event);
  }

  /** Show which is chosen. */
  mark(chosen) {
    this.buttons.forEach((button, i) => {
      button.setAttribute("aria-checked", i === chosen);
      button.tabIndex = i === chosen ? 0 : -1;
    });
  }

  key(event) {
    const step = {ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1}[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const shown = this.buttons.filter((button) => !button.hidden), at = shown.indexOf(event.target);
    const next = shown[(at + step + shown.length) % shown.length];
    next.click();
    next.focus();
  }
}
