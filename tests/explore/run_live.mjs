// Live as the audio thread does it, 128 samples at a time: node run_live.mjs FOLDER ENGINE
//
// FOLDER holds what `write_engine` wrote, and song.f32; the stems and the rest go there, delayed, as
// <target>.f32 and rest.f32. Prints how long the calls took, in ms, and how late the sound is.
import {readFileSync, writeFileSync} from "node:fs";
import {pathToFileURL} from "node:url";

const [folder, engine] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(`${engine}/${name}.mjs`));
const bytes = (name) => {
  const file = readFileSync(`${folder}/${name}`);
  return file.buffer.slice(file.byteOffset, file.byteOffset + file.length);
};
const [{loadKernel}, {LiveSeparator}, {Network}, {readSafetensors}] = await Promise.all(
  ["kernel", "live", "network", "weights"].map(load),
);
const about = JSON.parse(readFileSync(`${folder}/model.json`, "utf8"));
const kernel = await loadKernel(bytes("kernel.wasm"));
const networks = about.targets.map(
  (target) => new Network(kernel, readSafetensors(bytes(`${target}.int8.safetensors`)), about.networks[target]),
);
const live = new LiveSeparator(kernel, networks, {nFft: about.n_fft, hop: about.hop_length});
const all = new Float32Array(bytes("song.f32")), samples = all.length / 2, QUANTUM = 128;
const names = [...about.targets, "rest"], stems = names.map(() => new Float32Array(2 * samples));
const took = [];
for (let at = 0; at + QUANTUM <= samples; at += QUANTUM) {
  const began = performance.now();
  live.push(all.subarray(at, at + QUANTUM), all.subarray(samples + at, samples + at + QUANTUM));
  live.advance();
  live.read(QUANTUM).forEach((sides, j) => sides.forEach((side, c) => stems[j].set(side, c * samples + at)));
  took.push(performance.now() - began);
}
names.forEach((name, j) => writeFileSync(`${folder}/${name}.f32`, stems[j]));
// At half the speed: would the calls of one buffer of 1024 samples, a usual device's, be done in time?
let late = 0;
for (let i = 0; i + 8 <= took.length; i += 8) {
  const needed = 2 * took.slice(i, i + 8).reduce((a, b) => a + b);
  if (needed > (1000 * 8 * QUANTUM) / about.rate) late++;
}
took.sort((a, b) => a - b);
console.log(JSON.stringify({
  latency: live.latency, late_at_half_speed: late, mean: took.reduce((a, b) => a + b) / took.length,
  part99: took[Math.floor(0.99 * took.length)], most: took.at(-1), quantum: (1000 * QUANTUM) / about.rate,
}));
