// The engine's own thread: it is given weights once, then songs.

import {loadKernel} from "./kernel.mjs";
import {Network} from "./network.mjs";
import {Separator} from "./separate.mjs";
import {readSafetensors} from "./weights.mjs";

let kernel, networks, about, stopped = 0;

/** Until messages that came meanwhile have been read; a timer would be slowed in a hidden tab. */
const breathe = () => new Promise((resolve) => {
  const {port1, port2} = new MessageChannel();
  port1.onmessage = () => { port1.close(); resolve(); };
  port2.postMessage(0);
});

async function load(message) {
  about = message.about;
  kernel = await loadKernel(message.kernel);
  networks = about.targets.map(
    (target) => new Network(kernel, readSafetensors(message.weights[target]), about.networks[target]),
  );
  return {};
}

/** Stems go out in pieces, one message for each window of frames. */
async function separate({id, song, filter}) {
  const mark = kernel.end;
  const separator = new Separator(kernel, networks, {
    nFft: about.n_fft, hop: about.hop_length, filter: filter ?? about.filter,
  });
  let pieces = about.targets.map(() => []);
  const collect = (j, first, left, right) => pieces[j].push([left.slice(), right.slice()]);
  try {
    for (const {done} of separator.run(song, collect)) {
      const finished = pieces.map((parts) => [0, 1].map((c) => joined(parts.map((p) => p[c]))));
      pieces = about.targets.map(() => []);
      self.postMessage({id, done, pieces: finished}, finished.flat().map((side) => side.buffer));
      await breathe();
      if (stopped >= id) return {stopped: true};
    }
    return {};
  } finally {
    kernel.release(mark);
  }
}

function joined(parts) {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) { all.set(part, at); at += part.length; }
  return all;
}

self.onmessage = async ({data}) => {
  if (data.stop) { stopped = data.stop; return; }
  try {
    const result = await (data.weights ? load(data) : separate(data));
    self.postMessage({id: data.id, finished: true, ...result});
  } catch (error) {
    self.postMessage({id: data.id, error: String(error?.message ?? error)});
  }
};
