// One look for all that one can touch: a calm ground, thin lines, the stem's colour where the stem
// is meant. Ink is the text's own colour, so that it fits a page, Colab, JupyterLab and VS Code.

const STEMS = {
  vocals: ["#d55e00", "#ff8a3d"], drums: ["#0072b2", "#4aa8e8"],
  bass: ["#009e73", "#2fcfa0"], other: ["#cc79a7", "#e59cc4"],
};
const CSS = `
.unmix { --ink: currentColor; --soft: color-mix(in srgb, currentColor 72%, transparent);
  --line: color-mix(in srgb, currentColor 22%, transparent);
  --panel: color-mix(in srgb, currentColor 4%, transparent); --ground: #fff; --focus: #1f6feb;
  ${Object.entries(STEMS).map(([name, [light]]) => `--${name}: ${light};`).join(" ")}
  font-size: 1rem; line-height: 1.5; max-width: 46rem; margin: .75rem 0 1.25rem; text-align: left;
  background: var(--panel); border: 1px solid var(--line); border-radius: 10px; overflow: hidden; }
.unmix[data-ground=dark] { --ground: #14181f; --focus: #6aa5ff; color-scheme: dark;
  ${Object.entries(STEMS).map(([name, [, dark]]) => `--${name}: ${dark};`).join(" ")} }
.unmix *, .unmix *::before { box-sizing: border-box; }
.unmix [hidden] { display: none !important; }
.unmix header { display: flex; gap: .5rem .75rem; align-items: center; padding: .6rem .85rem;
  flex-wrap: wrap; }
.unmix footer, .unmix .note { padding: .6rem .85rem; border-top: 1px solid var(--line);
  color: var(--soft); font-size: .9rem; margin: 0; }
.unmix button, .unmix select, .unmix .button { font: inherit; font-size: .95rem; color: inherit;
  background: transparent; border: 1px solid var(--line); border-radius: 999px;
  padding: .2rem .85rem; min-height: 2.25rem; cursor: pointer; max-width: 100%; }
.unmix .button { display: inline-flex; align-items: center; }
.unmix .button.first { background: #1d2430; color: #fff; border-color: transparent; }
.unmix[data-ground=dark] .button.first { background: #e7eaf0; color: #14181f; }
.unmix select { border-radius: 8px; } .unmix option { color: #000; background: #fff; }
.unmix button:hover, .unmix .button:hover { border-color: var(--soft); }
.unmix button:disabled { opacity: .45; cursor: default; }
.unmix :focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
.unmix button.play { width: 2.75rem; height: 2.75rem; padding: 0; border-radius: 50%; flex: none;
  background: var(--fill, #1d2430); border-color: transparent; color: #fff; }
.unmix[data-ground=dark] button.play { --fill: #e7eaf0; color: #14181f; }
.unmix button.play svg { width: 1.1rem; height: 1.1rem; vertical-align: -.15rem; fill: currentColor; }
.unmix button[aria-pressed=true], .unmix button[aria-checked=true] { color: #fff;
  background: var(--c, #1d2430); border-color: var(--c, #1d2430); }
.unmix[data-ground=dark] button:is([aria-pressed=true], [aria-checked=true]) { color: #14181f;
  background: var(--c, #e7eaf0); border-color: var(--c, #e7eaf0); }
.unmix button.key { border-radius: 7px; width: 2.25rem; padding: 0; }
.unmix .chips { display: flex; gap: .35rem; flex-wrap: wrap; flex: 1 1 12rem; }
.unmix kbd { font: 11px system-ui, sans-serif; opacity: .65; margin-left: .4rem; padding: 0; border: 0;
  background: none; color: inherit; box-shadow: none; }
.unmix .ends { display: flex; gap: .75rem; align-items: center; margin-left: auto; }
.unmix .time { font-variant-numeric: tabular-nums; color: var(--soft); white-space: nowrap; }
.unmix .picture { position: relative; background: #000004; line-height: 0; cursor: pointer;
  touch-action: pan-y; user-select: none; }
.unmix .picture canvas { width: 100%; height: var(--tall, 7.5rem); display: block; }
.unmix .head { position: absolute; top: 0; bottom: 0; width: 2px; margin-left: -1px; left: 0;
  background: #fff; box-shadow: 0 0 4px #000; pointer-events: none; }
.unmix .region { position: absolute; top: 0; bottom: 0; background: #ffffff38; pointer-events: none;
  border: solid #fff; border-width: 0 1px; }
.unmix .axis { position: absolute; left: 6px; color: #fff; font: 11px/1 system-ui, sans-serif;
  text-shadow: 0 0 3px #000, 0 0 2px #000; pointer-events: none; }
.unmix .strip { display: grid; grid-template-columns: 6rem minmax(5rem, 1fr) auto; gap: .25rem .85rem;
  align-items: center; padding: .45rem .85rem; border-top: 1px solid var(--line); }
.unmix .strip > b { display: flex; gap: .5rem; align-items: center; }
.unmix .strip > b::before { content: ""; width: 10px; height: 10px; border-radius: 50%;
  background: var(--c); flex: none; }
.unmix .strip.off { opacity: .5; } .unmix .strip.chosen { background: var(--panel); }
.unmix .strip > span { display: flex; gap: .35rem; align-items: center; }
.unmix output { font-variant-numeric: tabular-nums; color: var(--soft); font-size: .9rem;
  min-width: 4.2rem; text-align: right; white-space: nowrap; }
.unmix input[type=range] { width: 100%; height: 1.75rem; margin: 0; padding: 0; cursor: pointer;
  appearance: none; background: transparent; border-radius: 6px; }
.unmix input[type=range]::-webkit-slider-runnable-track { height: 6px; border-radius: 3px;
  background: var(--line); }
.unmix input[type=range]::-moz-range-track { height: 6px; border-radius: 3px; background: var(--line); }
.unmix input[type=range]::-webkit-slider-thumb { appearance: none; width: 20px; height: 20px;
  margin-top: -7px; border-radius: 50%; background: var(--c, var(--focus)); border: 2px solid var(--ground); }
.unmix input[type=range]::-moz-range-thumb { width: 17px; height: 17px; border-radius: 50%;
  background: var(--c, var(--focus)); border: 2px solid var(--ground); }
.unmix input.pan { width: 4rem; }
.unmix .strip small { color: var(--soft); font-size: .75rem; }
.unmix .read { display: flex; gap: .3rem 1.6rem; align-items: baseline; padding: .6rem .85rem;
  flex-wrap: wrap; }
.unmix .read strong { font-size: 1.7rem; font-variant-numeric: tabular-nums; font-weight: 650; }
.unmix .read small { color: var(--soft); font-size: .9rem; }
.unmix .row { display: grid; grid-template-columns: 11.5rem 1fr 5rem; gap: .75rem; align-items: center;
  padding: .2rem .85rem; }
.unmix progress { width: 100%; height: .6rem; accent-color: var(--focus); }
.unmix .said { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
@media (max-width: 520px) {
  .unmix .strip { grid-template-columns: minmax(0, 1fr) auto; }
  .unmix input.pan { width: 3rem; } .unmix .strip output { min-width: 3.6rem; }
  .unmix .strip > input { grid-column: 1 / -1; order: 3; }
  .unmix .row { grid-template-columns: 1fr 4.5rem; } .unmix .row > input { grid-column: 1 / -1; order: 3; }
}
.unmix .pair { display: flex; flex-wrap: wrap; } .unmix .pair > * { flex: 1 1 20rem; min-width: 0; }
@media (min-width: 521px) { .unmix .pair .row { grid-template-columns: 6.5rem 1fr 4.2rem; } }
.unmix .row { margin: 0; } .unmix .row > * { padding: 0; margin: 0; max-width: none; } /* Bootstrap has rows, too. */
@media (prefers-reduced-motion: no-preference) {
  .unmix button { transition: background .12s, border-color .12s; }
}
@media print { .unmix button, .unmix input { display: none; } }
`;

/** An element: `h("button", {class: "key", onclick: f}, "M")`. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element[name] = value;
    else if (value !== false && value !== null) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** Give an element the look, on the light or dark ground that it stands on, also when that changes. */
export function dress(element) {
  element.classList.add("unmix");
  const look = () => {
    const colour = getComputedStyle(element).color.match(/[\d.]+/g);
    if (!colour) return; // it stands nowhere
    const [r, g, b] = colour.map(Number);
    element.dataset.ground = 0.3 * r + 0.6 * g + 0.1 * b > 128 ? "dark" : "light";
  };
  const settle = () => {
    if (!element.isConnected) return requestAnimationFrame(settle);
    const root = element.getRootNode(), home = root instanceof ShadowRoot ? root : document.head;
    if (!home.querySelector("style.unmix-look")) home.append(h("style", {class: "unmix-look"}, CSS));
    look();
  };
  queueMicrotask(settle);
  const later = () => requestAnimationFrame(look);
  const watcher = new MutationObserver(later);
  for (const above of [document.documentElement, document.body]) {
    watcher.observe(above, {attributes: true, attributeFilter: ["class", "data-theme", "theme", "style"]});
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", later);
  return element;
}

/** The stem that a label is of, as a colour; "" for what is none. */
export function colourOf(label) {
  const name = Object.keys(STEMS).find((stem) => label.toLowerCase().startsWith(stem));
  return name ? `--c: var(--${name})` : "";
}

/** Words that a screen reader says, at the end of an element. */
export function speaker(element) {
  const live = element.appendChild(h("div", {class: "said", role: "status"}));
  return (text) => { live.textContent = text; };
}
