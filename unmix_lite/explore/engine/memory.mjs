// What the networks remember of a whole song. An LSTM that looks both ways must have seen the end
// before it can speak of the beginning; what it says is narrow, and kept in 16 bits.

const BLOCK = 600; // frames that are computed at once
const ONE = 32767; // all of it lies between -1 and 1

/** Rows of numbers between -1 and 1, (frames, width), in pieces that can be given back. */
class Sequence {
  constructor(frames, width) {
    this.width = width;
    this.pieces = Array.from({length: Math.ceil(frames / BLOCK)}, () => new Int16Array(BLOCK * width));
  }

  /** Frame t's numbers. */
  row(t) { return this.pieces[Math.floor(t / BLOCK)].subarray((t % BLOCK) * this.width, (t % BLOCK + 1) * this.width); }

  /** Some frames from a block's rows, of `columns` numbers, into the columns from `column` on. */
  write(rows, first, last, columns, column = 0) {
    const from = rows.values;
    for (let t = first; t < last; t++) {
      const at = (t - first) * columns, row = this.row(t);
      for (let k = 0; k < columns; k++) row[column + k] = Math.round(ONE * from[at + k]);
    }
  }

  /** Some frames into a block, whose row t begins at t * stride. */
  read(rows, first, last, stride = this.width) {
    const to = rows.values;
    for (let t = first; t < last; t++) {
      const at = (t - first) * stride, row = this.row(t);
      for (let k = 0; k < row.length; k++) to[at + k] = row[k] / ONE;
    }
  }

  /** Give back the pieces that end before frame t. */
  forget(t) { this.pieces.fill(null, 0, Math.floor(t / BLOCK)); }
}

function blocks(frames) {
  return Array.from({length: Math.ceil(frames / BLOCK)}, (_, i) => [
    i * BLOCK, Math.min(frames, (i + 1) * BLOCK),
  ]);
}

/**
 * Run the networks over a song, all but their last stages. `see(first, last)` is called for blocks
 * of frames and returns their magnitudes. Yields what part is done; returns a `Memory` each.
 */
export function* remember(kernel, networks, frames, see) {
  const mark = kernel.end, rounds = 1 + networks.length * networks[0].layers.length;
  const encoded = networks.map((network) => new Sequence(frames, network.hidden));
  const rows = kernel.block(BLOCK * Math.max(...networks.map((network) => network.hidden)));
  for (const [first, last] of blocks(frames)) {
    const seen = see(first, last);
    networks.forEach((network, j) => {
      network.first(seen, last - first, rows);
      encoded[j].write(rows, first, last, network.hidden);
    });
    yield last / frames / rounds;
  }
  const memories = [];
  for (const [j, network] of networks.entries()) {
    let current = encoded[j], spare = null;
    for (const [l, directions] of network.layers.entries()) {
      const next = spare ?? new Sequence(frames, network.hidden);
      layer(network, directions, current, next, rows, frames);
      spare = l ? current : null; // what was encoded is needed to the end
      current = next;
      yield (1 + j * network.layers.length + l + 1) / rounds;
    }
    memories.push(new Memory(network, encoded[j], current));
  }
  kernel.release(mark);
  return memories;
}

/** One layer over the song, forward and, where it has that, backward. */
function layer(network, directions, input, output, rows, frames) {
  const {kernel, width, hidden} = network, mark = kernel.end;
  const out = kernel.block(BLOCK * width);
  directions.forEach((direction, i) => {
    const state = network.state(), order = blocks(frames);
    for (const [first, last] of direction.backward ? order.reverse() : order) {
      input.read(rows, first, last, hidden);
      network.recur(direction, rows, last - first, state, out, width);
      output.write(out, first, last, width, i * width);
    }
  });
  kernel.release(mark);
}

/** A network's memory of a song: masks of its frames are computed from it. */
class Memory {
  constructor(network, encoded, recurrent) { Object.assign(this, {network, encoded, recurrent}); }

  /** The mask of the next frames into the block `out`, as `Network.mask` gives it; once. */
  mask(first, last, out) {
    const {network, encoded, recurrent} = this, {kernel, hidden} = network, mark = kernel.end;
    const both = kernel.block((last - first) * 2 * hidden);
    encoded.read(both, first, last, 2 * hidden);
    recurrent.read(both.from(hidden), first, last, 2 * hidden);
    network.mask(both, last - first, out);
    kernel.release(mark);
    for (const sequence of [encoded, recurrent]) sequence.forget(last);
  }
}

export const FRAMES = BLOCK;
