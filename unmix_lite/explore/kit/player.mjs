// The synchronised player: several versions of a sound on one transport, one of them heard.
//
// On the page stand plain <audio> elements, which is what a reader without JavaScript has; `mount`
// takes their sound and puts the player in their place.

import {colourOf, dress, h, speaker} from "./look.mjs";
import {Lens, Picture} from "./picture.mjs";
import {playButton, SeekBar} from "./seekbar.mjs";
import {Track, Transport} from "./transport.mjs";

/** The bytes of a `data:` URL. */
function bytesOf(url) {
  return Uint8Array.from(atob(url.slice(url.indexOf(",") + 1)), (c) => c.charCodeAt(0)).buffer;
}

/** A compressed sound as a track; decoded without the loudspeaker, which needs no gesture. */
export async function decoded(url, rate) {
  const buffer = await new OfflineAudioContext(1, 1, rate).decodeAudioData(bytesOf(url));
  const sides = Array.from({length: Math.min(2, buffer.numberOfChannels)}, (_, c) => buffer.getChannelData(c));
  return new Track(sides, rate);
}

export class Player {
  /** sounds: [{label, url}], MP3 as data: URLs, at `rate` Hz. */
  constructor(sounds, rate) {
    Object.assign(this, {sounds, rate, chosen: 0, transport: null, pictures: new Map()});
    this.chips = sounds.map(({label}, i) => h("button", {
      type: "button", role: "radio", style: colourOf(label), onclick: () => this.choose(i),
    }, label, sounds.length > 1 && i < 9 ? h("kbd", {"aria-hidden": "true"}, i + 1) : null));
    this.play = playButton(() => this.toggle());
    this.time = h("span", {class: "time"});
    this.loop = h("button", {type: "button", "aria-pressed": "true", onclick: () => this.setLoop()}, "loop");
    this.canvas = h("canvas", {width: 900, height: 120});
    this.bar = new SeekBar([
      this.canvas, h("span", {class: "axis", style: "top: 6px"}), h("span", {class: "axis", style: "bottom: 6px"}),
    ], "place in the sound, on its spectrogram");
    const single = sounds.length === 1;
    this.element = dress(h("section", {class: "player", role: "group",
      "aria-label": single ? `Player: ${sounds[0].label}` : `Player: ${sounds.length} sounds in step`},
      h("header", {}, this.play,
        single ? h("span", {class: "chips"}, sounds[0].label)
          : h("div", {class: "chips", role: "radiogroup", "aria-label": "which is heard"}, ...this.chips),
        h("span", {class: "ends"}, this.loop, this.time)),
      this.bar.element));
    this.say = speaker(this.element);
    this.element.onkeydown = (event) => this.key(event);
    this.mark();
    // The picture is made when the reader comes near, and no sound is decoded before.
    new IntersectionObserver((entries, observer) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      (globalThis.requestIdleCallback ?? setTimeout)(() => this.show());
    }, {rootMargin: "200px"}).observe(this.element);
  }

  /** The track of a sound, decoded once. */
  track(i) {
    const sound = this.sounds[i];
    sound.track ??= decoded(sound.url, this.rate);
    return sound.track;
  }

  async open() {
    this.opening ??= Promise.all(this.sounds.map((_, i) => this.track(i))).then((tracks) => {
      this.transport = new Transport(tracks);
      this.transport.onchange = () => { this.play.update(this.transport.playing); this.bar.update(); };
      this.transport.loop = this.loop.getAttribute("aria-pressed") === "true";
      this.let();
      this.bar.attach(this.transport, this.time);
    }).catch(() => this.say("This browser cannot play the sound."));
    return this.opening;
  }

  async toggle() {
    await this.open();
    await this.transport?.toggle();
  }

  /** Let the chosen sound through. */
  let() { this.sounds.forEach((_, i) => this.transport.setGain(i, i === this.chosen ? 1 : 0)); }

  mark() {
    this.chips.forEach((chip, i) => {
      chip.setAttribute("aria-checked", i === this.chosen);
      chip.tabIndex = i === this.chosen ? 0 : -1;
    });
  }

  choose(i) {
    this.chosen = i;
    this.mark();
    if (this.transport) this.let();
    this.show();
  }

  /** The chosen sound's spectrogram; all share one scale of colours, so that levels compare. */
  async show() {
    const i = this.chosen, track = await this.track(i).catch(() => null);
    if (!track || i !== this.chosen) return;
    this.lens ??= new Lens(this.rate);
    if (!this.time.textContent) this.time.textContent = `${(track.length / this.rate).toFixed(1)} s`;
    const [top, bottom] = this.element.querySelectorAll(".axis");
    top.textContent = `${Math.min(16, Math.round(this.rate / 2000))} kHz`;
    bottom.textContent = "50 Hz";
    if (!this.pictures.has(i)) {
      const picture = new Picture(h("canvas"), this.lens, 900, this.top ?? null);
      picture.draw(track);
      this.top ??= picture.top;
      this.pictures.set(i, picture);
    }
    this.canvas.getContext("2d").drawImage(this.pictures.get(i).canvas, 0, 0);
  }

  async setLoop() {
    const loop = this.loop.getAttribute("aria-pressed") !== "true";
    this.loop.setAttribute("aria-pressed", loop);
    this.transport?.setLoop(loop);
  }

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const number = Number(event.key) - 1, chips = this.chips.length;
    const onChip = event.target.role === "radio" || event.target.getAttribute("role") === "radio";
    const step = onChip && {ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1}[event.key];
    if (step) {
      this.choose((this.chosen + step + chips) % chips);
      this.chips[this.chosen].focus();
    } else if (number >= 0 && number < chips) this.choose(number);
    else if (event.key === " " && event.target.tagName !== "BUTTON") this.toggle();
    else if (event.key === " " && onChip) this.toggle();
    else if (event.key === "l") this.setLoop();
    else return;
    event.preventDefault();
  }
}

/** Put a player in the place of a group of <audio> elements. */
export function mount(group) {
  const figures = [...group.querySelectorAll("figure")];
  if (!figures.length || typeof AudioContext === "undefined") return;
  const sounds = figures.map((figure) => ({
    label: figure.querySelector("figcaption").textContent, url: figure.querySelector("audio").src,
  }));
  group.replaceWith(new Player(sounds, Number(group.dataset.rate)).element);
}

/** All players of a page, once. */
export function mountAll() {
  document.querySelectorAll(".players[data-rate]").forEach(mount);
}
