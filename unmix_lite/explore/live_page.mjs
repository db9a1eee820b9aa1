// The live separator as something to touch: a source, three faders, and what the delay is made of.

import {Unmix} from "./engine/unmix.mjs";
import {readSafetensors} from "./engine/weights.mjs";
import {fileButton} from "./kit/files.mjs";
import {dress, h} from "./kit/look.mjs";
import {Strip} from "./kit/strip.mjs";

const NAMES = ["vocals", "drums", "the rest"];
const RATE = 44100;

export class LivePage {
  /** weights: an `Unmix`, which fetches; worklet: the URL of the audio thread's script. */
  constructor(place, weights, worklet, song) {
    Object.assign(this, {weights, worklet, song, node: null, source: null});
    const button = (text, onclick) => h("button", {type: "button", onclick}, text);
    const [label, input] = fileButton("live-file", "a file", ([file]) => file && this.play(URL.createObjectURL(file)));
    this.stopper = h("button", {type: "button", hidden: true, onclick: () => this.stop()}, "stop");
    this.words = h("p", {class: "note", role: "status"});
    this.number = h("strong", {}, "–");
    this.parts = h("small", {}, "of delay");
    this.strips = NAMES.map((name) => new Strip(name, () => this.sendGains()));
    this.element = dress(h("section", {class: "live", role: "group", "aria-label": "Live separator"},
      h("header", {}, button("a song of ours", () => this.playOurs()), label, input,
        button("the microphone", () => this.listen("microphone")), button("another tab", () => this.listen("tab")),
        h("span", {class: "ends"}, this.stopper)),
      h("div", {class: "read"}, h("span", {}, this.number, " ms ", this.parts)),
      ...this.strips.map(({element}) => element), this.words));
    place.replaceChildren(this.element);
    this.say("Try: start a song, pull the vocals down and up again. The networks hear only what has been played; 7 MB are fetched at the first start, and no sound leaves this machine.");
  }

  say(text, error = false) {
    this.words.textContent = text;
    this.words.toggleAttribute("data-error", error);
  }

  get gains() { return this.strips.map((strip) => strip.mute ? 0 : strip.factor); }

  sendGains() { this.node?.port.postMessage({gains: this.gains}); }

  /** The audio thread, with the networks in it; once. */
  async open() {
    if (this.node) return this.context.resume();
    this.context ??= new AudioContext({sampleRate: RATE, latencyHint: "balanced"});
    if (!this.context.audioWorklet) throw new Error("This browser has no AudioWorklet, which live needs.");
    const message = await this.fetched();
    await this.context.audioWorklet.addModule(this.worklet);
    const node = new AudioWorkletNode(this.context, "unmix-live", {outputChannelCount: [2]});
    await new Promise((resolve, reject) => {
      node.port.onmessage = ({data}) => {
        if (data.error) reject(new Error(data.error));
        if (data.ready) { this.latency = data.latency; resolve(); }
        if (data.busy !== undefined) this.report(data.busy);
      };
      node.port.postMessage(message);
    });
    node.connect(this.context.destination);
    this.node = node;
    this.sendGains();
    await this.context.resume();
  }

  /** What the audio thread is given; tensors, since it has no decoder for the head of a file. */
  async fetched() {
    const message = await this.weights.fetched((part) => this.say(`Fetching the networks: ${Math.round(100 * part)} % …`));
    const tensors = Object.entries(message.weights).map(([target, file]) => [target, readSafetensors(file)]);
    return {...message, weights: Object.fromEntries(tensors)};
  }

  /** What the delay is made of; and a plain word where the device is too slow. */
  report(busy) {
    const device = 1000 * ((this.context.outputLatency || 0) + (this.context.baseLatency || 0));
    const own = (1000 * this.latency) / RATE, window = (1000 * 4096) / RATE;
    this.number.textContent = Math.round(own + device);
    this.parts.textContent = `of delay: ${Math.round(window)} ms are the window, ${Math.round(own - window)} the computing, ` +
      `${Math.round(device)} the device. It takes ${Math.round(100 * busy)} % of one core.`;
    if (busy > 0.8) this.say("This device is too slow for live: what you hear may stutter.", true);
  }

  async playOurs() {
    const url = await this.song();
    if (url) return this.play(url);
    this.say("The song could not be fetched. Is there a connection?", true);
  }

  async play(url) {
    const audio = new Audio(url);
    audio.loop = true;
    await this.use(async () => {
      await audio.play();
      return {node: new MediaElementAudioSourceNode(this.context, {mediaElement: audio}), end: () => audio.pause()};
    }, "This file could not be played.");
  }

  async listen(kind) {
    await this.use(async () => {
      const media = navigator.mediaDevices, plain = {echoCancellation: false, noiseSuppression: false, autoGainControl: false};
      if (kind === "tab" && !media?.getDisplayMedia) throw new Error("This browser gives no tab's sound to a page; Chrome and Edge do.");
      if (!media?.getUserMedia) throw new Error("This browser gives a page no microphone here.");
      const stream = await (kind === "tab" ? media.getDisplayMedia({video: true, audio: plain}) : media.getUserMedia({audio: plain}));
      if (!stream.getAudioTracks().length) {
        stream.getTracks().forEach((track) => track.stop());
        throw new Error("No sound came with it: tick “share tab audio” when you choose the tab.");
      }
      return {node: new MediaStreamAudioSourceNode(this.context, {mediaStream: stream}),
        end: () => stream.getTracks().forEach((track) => track.stop())};
    }, "The sound was not shared with this page.", kind === "microphone" ? " Take headphones, or it hears itself." : "");
  }

  /** Take a source in place of the one there is. */
  async use(make, failed, advice = "") {
    try {
      await this.open();
      this.end();
      this.source = await make();
      this.source.node.connect(this.node);
      this.stopper.hidden = false;
      this.say(`Live: pull a fader.${advice}`);
    } catch (error) {
      const known = !(error instanceof DOMException);
      this.say(known ? error.message : failed, true);
    }
  }

  end() {
    this.source?.node.disconnect();
    this.source?.end();
    this.source = null;
  }

  stop() {
    this.end();
    this.stopper.hidden = true;
    this.context.suspend();
    this.say("Stopped.");
  }
}

/** Bring it to life where it stands; `window.unmixLive` is for whoever writes to the console. */
export function start() {
  const place = document.getElementById("unmix-live");
  const url = (name) => new URL(place.dataset.files + name, location.href).href;
  const script = new Blob([document.getElementById("unmix-live-worklet").textContent], {type: "text/javascript"});
  const song = async () => {
    const response = await fetch(new URL(place.dataset.song, location.href)).catch(() => null);
    return response?.ok ? URL.createObjectURL(await response.blob()) : null;
  };
  globalThis.unmixLive = new LivePage(place, new Unmix(url, null), URL.createObjectURL(script), song);
}
