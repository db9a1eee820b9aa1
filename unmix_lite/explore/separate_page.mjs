// "Separate your song": choose a file, see its stems appear, mix them, save them.

import {packed} from "./engine/side.mjs";
import {Unmix} from "./engine/unmix.mjs";
import {fileButton, peakOf, readSong, save, wav, zip} from "./kit/files.mjs";
import {dress, h} from "./kit/look.mjs";
import {Mixer} from "./kit/mixer.mjs";
import {Lens, Picture} from "./kit/picture.mjs";
import {Track} from "./kit/transport.mjs";

const MB = 1e6;

/** What a device takes, in s: of its memory, a song and its stems take 14 MB per minute and more. */
function longest() {
  const memory = navigator.deviceMemory ?? (matchMedia("(pointer: coarse)").matches ? 3 : 8);
  return 60 * (memory <= 2 ? 6 : memory <= 4 ? 12 : 20);
}

const clock = (seconds) => seconds < 60 ? `${Math.ceil(seconds)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;

export class SeparatePage {
  /** place: the element to fill. unmix: the engine. songs: [{title, credit, file}] to try. */
  constructor(place, unmix, songs) {
    Object.assign(this, {unmix, stop: null, song: null, mixer: null});
    const [label, input] = fileButton("song-file", "choose a song", (files) => this.take(files), "button first");
    this.input = input;
    this.choice = h("select", {"aria-label": "try a song of ours", onchange: () => this.tryOut(songs)},
      h("option", {value: ""}, "or try one of ours …"), ...songs.map(({title}, i) => h("option", {value: i}, title)));
    this.bar = h("progress", {max: 1, value: 0, "aria-label": "progress"});
    this.words = h("p", {class: "note", role: "status"});
    this.stopper = h("button", {type: "button", hidden: true, onclick: () => this.stop?.abort()}, "stop");
    this.running = h("header", {hidden: true}, h("span", {style: "flex: 1"}, this.bar), this.stopper);
    this.desk = h("div");
    this.element = dress(h("section", {class: "separate", role: "group", "aria-label": "Separate your song"},
      h("header", {}, label, this.input,
        h("span", {class: "chips"}, "or drop one here"), songs.length ? this.choice : null),
      this.running, this.words));
    place.replaceChildren(this.element, this.desk);
    document.addEventListener("dragover", (event) => event.preventDefault());
    document.addEventListener("drop", (event) => { event.preventDefault(); this.take(event.dataTransfer.files); });
    addEventListener("beforeunload", (event) => { if (this.stop) event.preventDefault(); });
    this.say("Nothing leaves this machine: the song is taken apart here, in your browser. " +
      "The first song fetches the networks, 13 MB, which stay in the browser's store.");
  }

  say(text, error = false) {
    this.words.textContent = text;
    this.words.toggleAttribute("data-error", error);
  }

  async tryOut(songs) {
    const song = songs[Number(this.choice.value)];
    if (!song || !this.choice.value) return;
    const answer = await this.unmix.files(song.file);
    const blob = typeof answer === "string" ? await fetch(answer).then((r) => r.blob()).catch(() => null) : new Blob([answer]);
    this.choice.value = "";
    if (!blob) return this.say("This song could not be fetched. Is there a network?", true);
    this.credit = song.credit;
    await this.take([new File([blob], song.file)]);
  }

  /** Take one of the files that came: the first. */
  async take(files) {
    const [file] = files, credit = this.credit ?? "";
    this.credit = null;
    if (!file) return;
    if (this.stop) return this.say(`“${this.name}” is still being taken apart: stop it first, or wait.`, true);
    this.name = file.name.replace(/\.[^.]*$/, "");
    this.stop = new AbortController();
    const others = files.length > 1 ? `One song at a time: this is “${file.name}”. ` : "";
    try {
      this.busy(`Reading “${file.name}” …`);
      const song = await readSong(file, longest());
      await this.separate(song, [others, credit && `${credit}. `, song.note && `${song.note} `].join(""));
    } catch (error) {
      this.say(error.name === "AbortError" ? "Stopped." : error.message, error.name !== "AbortError");
    } finally {
      this.stop = null;
      this.running.hidden = this.stopper.hidden = true;
      this.input.value = "";
    }
  }

  busy(text, part = 0) {
    this.say(text);
    this.running.hidden = this.stopper.hidden = false;
    this.bar.value = part;
  }

  async separate({channels, rate}, preface) {
    const {signal} = this.stop, {unmix} = this, samples = channels[0].length;
    await unmix.load((part) => this.busy(
      `${preface}Fetching the networks: ${(12.7 * part).toFixed(1)} of 12.7 MB …`, part));
    signal.throwIfAborted();
    const {scale, lens, top} = this.measure(channels, rate);
    this.open(unmix.about.targets, channels.length, samples, rate, scale, lens, top);
    // In 16 bits a long song takes half of the memory.
    channels.forEach((side, c) => { channels[c] = packed(side, scale); });
    let here = 0;
    const began = performance.now();
    await unmix.pieces({channels, rate, scale, signal, onPiece: ({done, stems}) => {
      here += this.add(stems, here);
      const left = ((performance.now() - began) / 1000) * (1 / done - 1);
      this.busy(`${preface}Taking it apart: ${Math.round(100 * done)} %, ${clock(left)} left. ` +
        `${here ? "What is there can be played." : ""}`, done);
    }});
    const took = (performance.now() - began) / 1000;
    this.say(`${preface}Done in ${clock(took)}: ${(samples / rate / took).toFixed(1)} times as fast as it plays. ` +
      "Mute the vocals and save this mix: that is karaoke.");
    this.finish();
  }

  /** The level that 16 bits are to hold, and what all pictures share: a scale of levels. */
  measure(channels, rate) {
    const song = new Track(channels, rate), lens = new Lens(rate);
    const peak = peakOf((start, length) => song.read(start, length), song.length, rate);
    if (peak === 0) throw new Error(`There is only silence in “${this.name}”.`);
    const picture = new Picture(h("canvas"), lens, 200);
    picture.draw(song);
    return {scale: 2 * Math.max(1, peak), lens, top: picture.top}; // a stem may be louder than the song
  }

  /** An empty mixer for a song of this size; its stems are kept in 16 bits, `scale` being full. */
  open(names, sides, samples, rate, scale, lens, top) {
    this.mixer?.close();
    this.stems = names.map(() => Array.from({length: sides}, () => new Int16Array(samples)));
    this.scale = scale;
    this.tracks = this.stems.map((stem) => new Track(stem, rate, scale));
    this.mixer = new Mixer(names);
    this.mixer.element.dataset.song = this.name;
    this.mixer.open(this.tracks);
    this.pictures = this.mixer.canvases.map((canvas) => new Picture(canvas, lens, 900, top));
    const button = (text, onclick, label = null) => h("button", {type: "button", onclick, "aria-label": label}, text);
    this.mixer.more.append(
      button("karaoke", () => { this.mixer.reset(); this.mixer.set(names.indexOf("vocals"), {mute: true}); }),
      button("reset", () => this.mixer.reset()));
    this.saves = h("header", {hidden: true, "aria-label": "Save", role: "group"},
      "Save", button("this mix", () => this.saveMix(), "save this mix"),
      button("all stems, as a zip", () => this.saveAll(), "save all stems, as a zip"),
      ...names.map((name, i) => button(name, () => this.saveStem(i), `save the ${name}`)));
    this.mixer.element.append(this.saves, h("p", {class: "note"},
      "Keys: space plays, 1 to 4 choose a stem, m mutes it, s hears it alone, up and down its level, " +
      "left and right move, l loops. Drag over the picture to loop a part."));
    this.desk.replaceChildren(this.mixer.element);
  }

  /** The next piece of all stems, from sample `at` on; returns its length. */
  add(stems, at) {
    const all = Object.values(stems), {length} = all[0][0];
    if (!length) return 0;
    all.forEach((sides, j) => {
      sides.forEach((side, c) => packed(side, this.scale, this.stems[j][c], at));
      this.pictures[j].draw(this.tracks[j], at + length);
    });
    return length;
  }

  finish() {
    this.saves.hidden = false;
    const minutes = this.tracks[0].length / this.tracks[0].rate / 60;
    if (minutes > 4) this.unmix.close(); // what the worker needed for a long song is given back
  }

  /** A file of what `read` gives; softer where it would exceed full scale, which is said. */
  file(read, name, gain = null) {
    const {rate, length} = this.tracks[0], channels = this.stems[0].length;
    gain ??= Math.min(1, 0.999 / peakOf(read, length, rate));
    if (gain < 1) this.say(`It would exceed full scale, and was saved ${(-20 * Math.log10(gain)).toFixed(1)} dB softer.`);
    return {name: `${this.name} - ${name}.wav`, blob: wav(read, channels, length, rate, gain)};
  }

  saveMix() {
    const {blob, name} = this.file(this.mixer.mix(), "mix");
    save(blob, name);
  }

  /** One gain for all stems, so that they still add up to the song. */
  get commonGain() {
    return Math.min(1, ...this.tracks.map((track) =>
      0.999 / peakOf((start, length) => track.read(start, length), track.length, track.rate)));
  }

  saveStem(i) {
    const {blob, name} = this.file((start, length) => this.tracks[i].read(start, length), this.mixer.names[i], this.commonGain);
    save(blob, name);
  }

  async saveAll() {
    const gain = this.commonGain;
    const files = this.tracks.map((track, i) =>
      this.file((start, length) => track.read(start, length), this.mixer.names[i], gain));
    save(await zip(files), `${this.name} - stems.zip`);
  }
}

/** Bytes that lie in the page, as base64 in a script of their own; null where they do not. */
function inside(name) {
  const island = document.getElementById(`unmix-file-${name}`);
  return island && Uint8Array.from(atob(island.textContent), (c) => c.charCodeAt(0)).buffer;
}

/** Bring the page to life: `window.unmix` is the engine, also for whoever writes to the console. */
export function start() {
  const place = document.getElementById("unmix-separate");
  const worker = document.getElementById("unmix-worker").textContent;
  const files = (name) => inside(name) ?? new URL(place.dataset.files + name, location.href).href;
  const unmix = new Unmix(files, () => new Worker(URL.createObjectURL(new Blob([worker], {type: "text/javascript"}))));
  globalThis.unmix = unmix;
  const songs = JSON.parse(document.getElementById("unmix-songs").textContent);
  globalThis.separatePage = new SeparatePage(place, unmix, songs);
}
