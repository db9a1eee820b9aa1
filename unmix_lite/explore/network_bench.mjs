// The network bench (chapter 6): Open-Unmix opened, stage by stage, and the future cut.

import {loadKernel} from "./engine/kernel.mjs";
import {mean, OpenedPair} from "./engine/opened.mjs";
import {choice, follow, Frame, reading, readings, slider, soundsOf} from "./kit/control.mjs";
import {h} from "./kit/look.mjs";
import {Plot} from "./kit/plot.mjs";
import {Sounder} from "./kit/sounder.mjs";
import {carriedPicture, paint, pictureOf, STAGES, stagesOf, widthOf} from "./network_stages.mjs";

const BOTH = "both ways", PAST = "past only";
const CSS = `
.network_bench .opened { display: grid; grid-template-columns: 15.5rem minmax(0, 1fr); gap: .4rem 1rem; padding: .85rem .85rem 0; }
.network_bench .stages { position: relative; display: grid; gap: .4rem; padding-left: 1.5rem; align-content: start; }
.network_bench .stages button { display: grid; grid-template-columns: 1fr auto 3rem; gap: .5rem; align-items: center;
  border-radius: 8px; padding: 0 .4rem 0 .6rem; height: 2.1rem; min-height: 0; text-align: left; font-size: .9rem; }
.network_bench .stages small { opacity: .75; font-size: .8rem; }
.network_bench .stages canvas { width: 3rem; height: 1.4rem; border-radius: 3px; display: block; }
.network_bench .around { position: absolute; border: 1.5px solid var(--soft); border-right: 0; border-radius: 6px 0 0 6px; }
.network_bench canvas { image-rendering: pixelated; }
.network_bench pre { margin: .5rem 0 0; padding: .5rem .7rem; min-height: 5rem; font-size: .8rem; line-height: 1.45; white-space: pre-wrap;
  overflow-wrap: anywhere; background: var(--panel); border: 1px solid var(--line); border-radius: 8px; color: inherit; }
.network_bench .plain { border: 0; padding-bottom: 0; }
.network_bench .told { margin: .4rem 0 0; font-size: .85rem; color: var(--soft); min-height: 2.7rem; }
@media (max-width: 600px) {
  .network_bench .opened { grid-template-columns: minmax(0, 1fr); }
  .network_bench .stages { gap: .25rem; } .network_bench .stages button { height: 1.95rem; }
}`;

/** The weights and the kernel: from Python where there is a kernel behind the page, else fetched. */
async function filesOf(model, {files, folder}) {
  const names = Object.keys(files);
  if (model.get("_asked") !== undefined) {
    if (!model.get("_asked")) {
      const here = new Promise((resolve) => model.on("change:_files", resolve));
      model.set("_asked", true);
      model.save_changes();
      await here;
    }
    const sent = Object.entries(model.get("_files"));
    return Object.fromEntries(sent.map(([name, {buffer, byteOffset, byteLength}]) => [name, buffer.slice(byteOffset, byteOffset + byteLength)]));
  }
  const read = names.map(async (name) => {
    const inside = files[name].startsWith("data:"), blocked = !inside && location.protocol === "file:";
    const response = blocked ? null : await fetch(inside ? files[name] : folder + files[name]).catch(() => null);
    if (response?.ok) return [name, await response.arrayBuffer()];
    throw new Error(blocked
      ? "A page that was opened from a folder cannot fetch the network: open it from the book's address, or run the notebook."
      : "The network could not be fetched. Is there a connection? Then try again.");
  });
  return Object.fromEntries(await Promise.all(read));
}

const STATE = ["network", "stage", "cut"];

export async function render({model, el}) {
  const data = model.get("data"), first = Object.fromEntries(STATE.map((key) => [key, model.get(key)]));
  const {mixture} = await soundsOf(data), {rate, seconds, pictures, peaks} = data;
  let bench = null;
  const set = (key, value) => { model.set(key, value); model.save_changes(); };
  const frame = new Frame(el, "network_bench", "run the network, then drag the cut to the left. Before the cut nothing has changed in the sound. In whose mask has it?",
    () => STATE.forEach((key) => set(key, first[key])));
  const view = stagesOf(model, set), canvas = h("canvas", {style: "--tall: 13rem", role: "img"});
  const title = h("b", {}), told = h("p", {class: "told"}), code = h("pre");
  const sounder = new Sounder(["mixture", "vocals, by this network"], rate, [canvas]);
  sounder.chips[1].hidden = true;
  sounder.set([mixture, mixture]);
  const runner = h("button", {type: "button", class: "button first", onclick: () => start().catch(() => {})}, "run the network");
  const status = h("span", {role: "status"}, "7 MB are fetched, and run here.");
  const found = [BOTH, PAST].map((name) => reading(`% ${name}`));
  const plot = new Plot({x: {low: 0, high: seconds, label: "time (s)"}, y: {low: 0.01, high: 300, log: true, ticks: [0.01, 0.1, 1, 10, 100], label: "change (%)"}, height: 200,
    alt: "change of the mask over time: both ways solid, past only dotted"});
  const live = h("div", {hidden: true}, choice(model, "network", "network", [[BOTH, "looks both ways"], [PAST, "knows the past only"]]),
    slider(model, "cut", {label: "silence from", min: 0.5, max: seconds, step: 0.1, colour: "--c: var(--vocals)",
      shown: (v) => (v >= seconds ? "no cut" : `${v.toFixed(1)} s on`)}), 
    h("p", {class: "note plain"}, "Change of the mask in the second before the cut, and below over time (solid: both ways, dotted: past only)."), readings(...found), plot.element);
  frame.buttons.prepend(runner, status);
  frame.add(h("style", {}, CSS), h("div", {class: "opened"}, view.element,
    h("div", {}, title, sounder.bar.element, told, code)), sounder.header, live);
  frame.element.onkeydown = (event) => sounder.key(event);

  // Of a network and a cut: pictures, numbers and the change over time. Kept, so that a drag is quick.
  const seen = new Map();
  const of = (network, at) => {
    const key = `${network} ${at}`;
    if (!seen.has(key)) {
      const {tensors, change, changed} = bench.run(network, at), stages = {};
      for (const stage of STAGES) {
        const values = tensors[stage.key], width = values.length / bench.frames;
        stages[stage.key] = {width, told: extent(values), size: mean(values.map(Math.abs)),
          picture: pictureOf(stage, values, width, peaks[network][stage.key], data)};
      }
      seen.set(key, {stages, change, changed});
    }
    return seen.get(key);
  };
  const before = Object.fromEntries(STAGES.map(({key}) => [key,
    {width: widthOf(key, data), told: "", picture: carriedPicture(key, pictures[key], data)}]));
  const show = (stages, both, at) => {
    for (const stage of STAGES) {
      const {key} = stage, {picture, width, told: range} = stages[key];
      view.draw(stage, picture, both, width);
      if (key !== model.get("stage")) continue;
      paint(canvas, picture, stage.kind, at);
      title.textContent = `${stage.name(both)}, ${picture.frames} frames × ${width.toLocaleString("en")}`;
      canvas.setAttribute("aria-label", `${title.textContent}; ${stage.seen(both)}`);
      told.textContent = `${stage.seen(both)}. ${range}`;
      code.textContent = stage.code(both);
    }
  };
  let sounding = null;
  const run = () => {
    if (!bench) return show(before, true);
    const network = model.get("network"), cut = model.get("cut"), at = bench.frame(cut);
    const results = [BOTH, PAST].map((name) => of(name, at)), {stages} = results[network === BOTH ? 0 : 1];
    show(stages, network === BOTH, at);
    results.forEach(({changed}, i) => found[i].set(changed ? changed.toFixed(2) : "0"));
    const [both, past] = results.map(({change}) => change.map((x, t) => [(t * data.hop) / rate, x]).filter(([, x]) => x));
    plot.draw({lines: [{points: both, colour: "var(--vocals)"}, {points: past, dash: "2 4"}],
      marks: at < bench.frames ? [{x: cut, label: "cut"}] : []});
    el.reading = [...results.map(({changed}) => changed), stages[model.get("stage")].size];
    clearTimeout(sounding); // the sound follows when the hand rests
    sounding = setTimeout(() => sounder.set([mixture.map((side) => side.slice().fill(0, at * data.hop)),
      bench.sound(bench.run(network, at).tensors.mask, at)]), 250);
  };
  // What a drag will show, computed while nobody drags.
  const ahead = (cut = seconds) => {
    if (cut < 0.5 || !el.isConnected) return;
    for (const name of [BOTH, PAST]) of(name, bench.frame(Number(cut.toFixed(1))));
    setTimeout(() => ahead(cut - 0.1), 40);
  };
  const start = async () => {
    runner.disabled = true;
    status.textContent = "The weights are on their way ...";
    try {
      const files = await filesOf(model, data), sides = mixture.length === 2 ? mixture : [mixture[0], mixture[0]];
      bench = new OpenedPair(await loadKernel(files.kernel), files, sides, data);
      status.textContent = "";
      runner.hidden = true;
      live.hidden = sounder.chips[1].hidden = false;
      run();
      setTimeout(ahead, 500);
    } catch (error) {
      runner.disabled = false;
      status.textContent = error.message;
    }
  };
  follow(model, STATE, run);
  run();
  // What the page holds itself need not be asked for.
  if (Object.values(data.files).every((file) => file.startsWith("data:"))) await start();
}

function extent(values) {
  let low = Infinity, high = -Infinity;
  for (const x of values) { low = Math.min(low, x); high = Math.max(high, x); }
  const words = (x) => x.toFixed(Math.abs(x) < 10 ? 2 : 0).replace("-", "−");
  return `Values from ${words(low)} to ${words(high)}.`;
}
