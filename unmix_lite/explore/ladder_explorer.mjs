// The ladder (chapters 11 and 13): systems sorted by a stem, against what they cost, with their sound.

import {choice, follow, Frame, reading, readings, soundsOf} from "./kit/control.mjs";
import {h} from "./kit/look.mjs";
import {Plot} from "./kit/plot.mjs";
import {Sounder} from "./kit/sounder.mjs";

const STATE = ["stem", "kind", "view", "chosen"];
const AXES = {seconds: "seconds of one core per minute of music", weights: "weights"};

/** The rungs that a state shows, the best first. */
export function sorted(rungs, {stem, kind, view}) {
  const there = rungs.filter((rung) => stem in rung.values && (kind === "all" || rung.kind === kind) && (view === "ladder" || rung[view] > 0));
  return there.sort((a, b) => b.values[stem][0] - a.values[stem][0]);
}

/** [place of the chosen one, how many are shown, its SDR in dB, its cost or 0]; place 0 if it is not among them. */
export function reads(rungs, state) {
  const shown = sorted(rungs, state), at = shown.findIndex(({name}) => name === state.chosen);
  if (at < 0) return [0, shown.length, 0, 0];
  return [at + 1, shown.length, shown[at].values[state.stem][0], state.view === "ladder" ? 0 : shown[at][state.view]];
}

const signed = (x) => x.toFixed(2).replace("-", "−");
const counted = (n) => n.toLocaleString("en");

/** A row of the ladder: name, interval and dot, number. `place` says where a value lies, in per cent. */
function rungRow(rung, [median, low, high], place, onchoose) {
  const mark = (style) => h("span", {style: `position: absolute; ${style}`});
  const track = h("span", {style: "position: relative; height: 1.4rem", "aria-hidden": "true"},
    mark(`left: ${place(0)}%; top: 0; bottom: 0; border-left: 1px dotted currentColor; opacity: .5`),
    low === null ? "" : mark(`left: ${place(low)}%; width: ${place(high) - place(low)}%; top: calc(50% - 1px); height: 2px; background: currentColor; opacity: .45`),
    mark(`left: calc(${place(median)}% - 5px); top: calc(50% - 5px); width: 10px; height: 10px; border-radius: 50%; border: 2px solid currentColor; ` +
      (rung.ours ? "background: currentColor" : "")));
  return h("button", {type: "button", role: "radio", onclick: onchoose, "aria-label": `${rung.name}, ${signed(median)} dB`,
    style: "display: grid; grid-template-columns: 8.2rem 1fr 3rem; gap: .5rem; width: 100%; min-height: 1.5rem; padding: 0 .85rem; border: 0; " +
      "border-radius: 0; text-align: left; align-items: center; transition: none; font-size: .85rem"},
  h("span", {style: "overflow: hidden; text-overflow: ellipsis; white-space: nowrap"}, rung.sound ? `${rung.name} ♪` : rung.name), track,
  h("span", {style: "text-align: right; font-variant-numeric: tabular-nums"}, signed(median)));
}

export async function render({model, el}) {
  const data = model.get("data"), {rungs} = data, first = Object.fromEntries(STATE.map((key) => [key, model.get(key)]));
  const set = (key, value) => { model.set(key, value); model.save_changes(); };
  const state = () => Object.fromEntries(STATE.map((key) => [key, model.get(key)]));
  const costed = rungs.some((rung) => rung.seconds > 0), stems = [...new Set(rungs.flatMap(({values}) => Object.keys(values)))];
  const frame = new Frame(el, "ladder_explorer", "sort by another stem and see who changes places" + (costed ? "; then look at the SDR against the " +
    "weights and against the seconds. Are the large ones the slow ones?" : ". How far do the intervals of neighbours overlap?"),
    () => STATE.forEach((key) => set(key, first[key])));
  const list = h("div", {role: "radiogroup", "aria-label": "systems, the best first", style: "overflow-y: auto; padding: .3rem 0"});
  const place = h("div"), rank = reading(""), score = reading("dB"), words = h("p", {class: "note", style: "min-height: 5.6rem"});
  const rankWords = rank.element.querySelector("small");
  const kinds = [...new Set(rungs.map((rung) => rung.kind))].filter((kind) => kind !== "mixture");
  const short = (kind) => kind.replace("methods without", "no").replace("networks trained on", "learned from");
  frame.add(place, list, readings(score, rank), words, choice(model, "stem", "sorted by", stems.map((stem) => [stem, stem])));
  if (kinds.length > 1) frame.add(choice(model, "kind", "of", [["all", "all"], ...kinds.map((kind) => [kind, short(kind)])]));
  if (costed) frame.add(choice(model, "view", "shown", [["ladder", "the ladder"], ["seconds", "against seconds"], ["weights", "against weights"]]));
  const labels = Object.keys(data.sounds ?? {});
  let sounder = null;
  if (labels.length) {
    sounder = new Sounder(labels, data.rate);
    const sounds = await soundsOf(data);
    sounder.set(labels.map((label) => sounds[label]));
    sounder.onchoose = (i) => { if (rungs.some(({name}) => name === labels[i])) set("chosen", labels[i]); };
    frame.add(sounder.header);
  }
  frame.element.onkeydown = (event) => sounder?.key(event);
  const all = rungs.flatMap(({values}) => Object.values(values).flat()).filter((x) => x !== null);
  const low = Math.floor(Math.min(...all)) - 0.5, high = Math.ceil(Math.max(...all)) + 0.5;
  const percent = (x) => (100 * (x - low)) / (high - low);
  list.onkeydown = (event) => {
    const shown = sorted(rungs, state()), at = shown.findIndex(({name}) => name === model.get("chosen"));
    const to = {ArrowUp: at - 1, ArrowLeft: at - 1, ArrowDown: at + 1, ArrowRight: at + 1, Home: 0, End: shown.length - 1}[event.key];
    if (to === undefined) return;
    event.preventDefault();
    set("chosen", shown[Math.min(shown.length - 1, Math.max(0, to))].name);
  };
  const run = () => {
    const now = state(), shown = sorted(rungs, now), [at, count, sdr, cost] = reads(rungs, now), {stem} = now;
    const cheap = now.view !== "ladder", chosen = rungs.find(({name}) => name === now.chosen);
    list.style.cssText += `; height: ${cheap ? 8 : 25}rem; --c: var(--${stem === "mean" ? "focus" : stem})`;
    place.hidden = !cheap;
    if (cheap) place.replaceChildren(costs(rungs, now, shown));
    const scroll = list.scrollTop, focused = list.contains(list.getRootNode().activeElement);
    list.replaceChildren(...shown.map((rung) => {
      const row = rungRow(rung, rung.values[stem], percent, () => set("chosen", rung.name)), mine = rung.name === now.chosen;
      row.setAttribute("aria-checked", mine);
      row.tabIndex = mine || (at === 0 && rung === shown[0]) ? 0 : -1;
      return row;
    }));
    list.scrollTop = scroll;
    const row = list.children[at - 1], held = row && row.offsetTop - list.offsetTop;
    if (row && (held < list.scrollTop || held > list.scrollTop + list.clientHeight - 30)) list.scrollTop = held - list.clientHeight / 2;
    if (focused) row?.focus({preventScroll: true});
    score.set(at ? signed(sdr) : "–");
    rank.set(at ? String(at) : "–");
    rankWords.textContent = `of ${count}, ${stem === "mean" ? "by the mean of four stems" : `by the ${stem}`}`;
    const more = [chosen?.seconds > 0 ? `${chosen.seconds.toFixed(1)} s per minute of music` : "", chosen?.weights ? `${counted(chosen.weights)} weights` : ""];
    words.replaceChildren(...(chosen ? [h("b", {}, chosen.name), ` (${[chosen.kind, ...more].filter(Boolean).join("; ")}): ${chosen.what}. `,
      h("i", {}, chosen.paper), chosen.sound ? "" : labels.length ? " No sound of it here." : ""] : ["Choose a system."]));
    const sound = labels.indexOf(now.chosen);
    if (sound >= 0 && sounder.chosen !== sound) sounder.choose(sound);
    el.reading = [at, count, sdr, cost];
  };
  follow(model, STATE, run);
  run();
}

/** SDR against what a system costs. */
function costs(rungs, {stem, view, chosen}, shown) {
  const xs = rungs.map((rung) => rung[view]).filter((x) => x > 0), ys = shown.map(({values}) => values[stem][0]);
  const low = Math.min(0, ...ys), high = Math.max(1, ...ys);
  const plot = new Plot({x: {low: Math.min(...xs) / 1.6, high: Math.max(...xs) * 4, log: true, label: AXES[view], shown: (v) => (v >= 1e6 ? `${v / 1e6}M` : v >= 1000 ? `${v / 1000}k` : String(v))},
    y: {low: Math.floor(low - 0.5), high: Math.ceil(high + 0.5), label: "SDR (dB)"}, height: 300,
    alt: `SDR against ${AXES[view]}, on a logarithmic axis`});
  plot.draw({dots: shown.map((rung) => ({x: rung[view], y: rung.values[stem][0], label: rung.name, size: rung.name === chosen ? 9 : 5,
    colour: rung.name === chosen ? "var(--focus)" : "currentColor"}))});
  return plot.element;
}
