// The stages of Open-Unmix (chapter 6): their names, the lines of Python that make them, and what
// their tensors look like.

import {h} from "./kit/look.mjs";
import {magma} from "./kit/picture.mjs";

const run = (input, layer) => [
  `ahead = run(${input}, "l${layer}")`,
  `back = run(${input}.flip(0), "l${layer}_reverse").flip(0)`,
  "recurrent = torch.cat([ahead, back], dim=1)",
].join("\n");

function layer(l) {
  const input = l ? "recurrent" : "compressed";
  return {
    key: `lstm${l + 1}`, kind: "signed",
    name: (both) => (both ? `BLSTM ${l + 1} → ←` : `LSTM ${l + 1} →`),
    code: (both) => (both ? run(input, l) : `recurrent = run(${input}, "l${l}")`),
    seen: (both) => (both ? "above: units that read forwards; below: units that read backwards" : "all units read forwards"),
  };
}

const units = "one row for every few units";
const bins = "60 Hz to 16 kHz, both channels' mean";
const said = (text) => () => text;

/** In order. kind: of the picture's values: "level" (dB), "share" (zero and above), or "signed". */
export const STAGES = [
  {key: "mixture", name: said("mixture |Y|"), kind: "level", seen: said(bins),
    code: said("Y = stft(mixture)\nmagnitude = Y.abs()")},
  {key: "fc1", name: said("fc1, bn1, tanh"), kind: "signed", seen: said(units), code: said(
    "standard = (cropped + input_mean) * input_scale\nflat = standard.reshape(frames, -1)\n" +
    'compressed = batch_norm(flat @ fc1.T, "bn1").tanh()')},
  layer(0), layer(1), layer(2),
  {key: "skip", name: said("skip: both"), kind: "signed",
    seen: said("above: what the network saw (fc1); below: what it remembers (LSTM)"),
    code: said("both = torch.cat([compressed, recurrent], dim=1)")},
  {key: "fc2", name: said("fc2, bn2, ReLU"), kind: "share", seen: said(units),
    code: said('decoded = batch_norm(both @ fc2.T, "bn2").relu()')},
  {key: "fc3", name: said("fc3, bn3, scale"), kind: "signed", seen: said(bins), code: said(
    'expanded = batch_norm(decoded @ fc3.T, "bn3")\nexpanded = expanded * output_scale + output_mean')},
  {key: "mask", name: said("ReLU: mask"), kind: "share", seen: said(bins), code: said("mask = expanded.relu()")},
  {key: "estimate", name: said("mask × |Y|"), kind: "level", seen: said(bins), code: said("vocals = mask * magnitude")},
];

const OF_UNITS = ["fc1", "lstm1", "lstm2", "lstm3", "skip", "fc2"];
const LOW = 60, HIGH = 16000; // Hz
const SPAN = 60; // dB

/** A tensor (frames, width) as a picture: {frames, rows, bytes}, the top row first, as Python's. */
export function pictureOf({key, kind}, values, width, peak, {rows, rate, nFft}) {
  const frames = values.length / width, ofUnits = OF_UNITS.includes(key), count = ofUnits ? rows.units : rows.bins;
  const bytes = new Uint8Array(frames * count);
  for (let y = 0; y < count; y++) {
    const hz = LOW * (HIGH / LOW) ** (1 - (y + 0.5) / count), bin = Math.round((hz * nFft) / rate);
    const unit = Math.floor((y * width) / count);
    for (let t = 0; t < frames; t++) {
      const at = t * width;
      const x = (ofUnits ? values[at + unit] : (values[at + bin] + values[at + width / 2 + bin]) / 2) / peak;
      const level = kind === "level" ? 1 + (20 * Math.log10(x + 1e-9)) / SPAN : kind === "share" ? x : 0.5 + 0.5 * x;
      bytes[y * frames + t] = Math.round(255 * Math.min(1, Math.max(0, level)));
    }
  }
  return {frames, rows: count, bytes};
}

const BELOW = [74, 168, 232], ZERO = [16, 16, 28], ABOVE = [255, 138, 61];

/** The colour of a level 0 to 1 whose middle is zero. */
export function signed(level) {
  const x = 2 * level - 1, end = x < 0 ? BELOW : ABOVE;
  return ZERO.map((value, c) => value + Math.abs(x) * (end[c] - value));
}

/** The diagram: a button per stage, and the two ways around. */
export function stagesOf(model, set) {
  const parts = new Map(), element = h("div", {class: "stages", role: "radiogroup", "aria-label": "stage"});
  STAGES.forEach(({key}, i) => {
    const name = h("span"), count = h("small"), canvas = h("canvas", {"aria-hidden": "true"});
    const button = h("button", {type: "button", role: "radio", onclick: () => set("stage", key)}, name, count, canvas);
    parts.set(key, {name, count, canvas, button});
    button.onkeydown = (event) => {
      const step = {ArrowUp: -1, ArrowLeft: -1, ArrowDown: 1, ArrowRight: 1}[event.key];
      if (!step) return;
      event.preventDefault();
      const next = STAGES[(i + step + STAGES.length) % STAGES.length].key;
      set("stage", next);
      parts.get(next).button.focus();
    };
    element.append(button);
  });
  // From the middle of one row to that of another, in per cent of the column.
  for (const [from, to, left] of [[0, 9, 0.15], [1, 5, 0.75]]) {
    const line = h("span", {class: "around", "aria-hidden": "true"}), row = 100 / STAGES.length;
    Object.assign(line.style, {top: `${(from + 0.47) * row}%`, height: `${(to - from) * row}%`, left: `${left}rem`, width: `${1.5 - left}rem`});
    element.append(line);
  }
  const draw = ({key, name: named, kind}, picture, both, width) => {
    const {name, count, canvas, button} = parts.get(key), chosen = model.get("stage") === key;
    name.textContent = named(both);
    count.textContent = width.toLocaleString("en");
    button.setAttribute("aria-checked", chosen);
    button.tabIndex = chosen ? 0 : -1;
    paint(canvas, picture, kind);
  };
  return {element, draw};
}

/** How many numbers a frame has at a stage. */
export function widthOf(key, {nFft, networks}) {
  const hidden = networks["both ways"].hidden_size;
  if (["mixture", "fc3", "mask", "estimate"].includes(key)) return nFft + 2;
  return key === "skip" ? 2 * hidden : hidden;
}

/** A picture as Python put it into `data`. */
export function carriedPicture(key, text, {rows}) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const count = ["mixture", "fc3", "mask", "estimate"].includes(key) ? rows.bins : rows.units;
  return {frames: bytes.length / count, rows: count, bytes};
}

const LOOKS = {level: magma, share: magma, signed};
const TABLES = Object.fromEntries(Object.entries(LOOKS).map(([kind, look]) => [kind, Array.from({length: 256}, (_, i) => look(i / 255))]));

/** A picture on a canvas; a white line where the sound is cut. */
export function paint(canvas, {frames, rows, bytes}, kind, cut = frames) {
  canvas.width = frames;
  canvas.height = rows;
  const context = canvas.getContext("2d"), image = context.createImageData(frames, rows), table = TABLES[kind];
  for (let i = 0; i < bytes.length; i++) {
    image.data.set(table[bytes[i]], 4 * i);
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  if (cut >= frames) return;
  context.fillStyle = "#fff";
  context.fillRect(cut, 0, 1, rows);
}
