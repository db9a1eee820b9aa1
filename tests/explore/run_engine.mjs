// Separate a song as the page does, without a page: node run_engine.mjs FOLDER wasm|plain SETTINGS
//
// FOLDER holds what `write_engine` wrote, and song.f32, both channels one after the other; the stems
// go there as <target>.f32. SETTINGS: of the filter, as JSON.
import {readFileSync, writeFileSync} from "node:fs";
import {pathToFileURL} from "node:url";

const [folder, kind, settings, engine] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(`${engine}/${name}.mjs`));
const bytes = (name) => {
  const file = readFileSync(`${folder}/${name}`);
  return file.buffer.slice(file.byteOffset, file.byteOffset + file.length);
};
const [{loadKernel}, {Network}, {Separator}, {Side}, {readSafetensors}] = await Promise.all(
  ["kernel", "network", "separate", "side", "weights"].map(load),
);
const about = JSON.parse(readFileSync(`${folder}/model.json`, "utf8"));
const kernel = await loadKernel(kind === "wasm" ? bytes("kernel.wasm") : null);
const networks = about.targets.map(
  (target) => new Network(kernel, readSafetensors(bytes(`${target}.int8.safetensors`)), about.networks[target]),
);
const all = new Float32Array(bytes("song.f32")), samples = all.length / 2;
const song = [all.subarray(0, samples), all.subarray(samples)].map((side) => new Side(side));
const separator = new Separator(kernel, networks, {
  nFft: about.n_fft, hop: about.hop_length, filter: JSON.parse(settings),
});
const stems = about.targets.map(() => new Float32Array(2 * samples));
let done = 0;
for (const step of separator.run(song, (j, first, left, right) => {
  stems[j].set(left, first);
  stems[j].set(right, samples + first);
})) {
  if (step.done < done) throw new Error("progress went back");
  done = step.done;
}
if (Math.abs(done - 1) > 1e-9) throw new Error(`ended at ${done}`);
about.targets.forEach((target, j) => writeFileSync(`${folder}/${target}.f32`, stems[j]));
