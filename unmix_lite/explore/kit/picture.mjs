// Spectrograms on a canvas: logarithmic frequency, levels in dB as colours.

import {Plain} from "../engine/kernel.mjs";
import {STFT} from "../engine/stft.mjs";

const LOW = 50, HIGH = 16000; // Hz
const SPAN = 70; // dB
// Anchors of matplotlib's "magma" (perceptually uniform, and read aright by colour-blind readers).
const MAGMA = [
  [0, 0, 4], [28, 16, 68], [79, 18, 123], [129, 37, 129], [181, 54, 122], [229, 80, 100],
  [251, 135, 97], [254, 194, 135], [252, 253, 191],
];

/** The colour of a level between 0 and 1, as [r, g, b]. */
export function magma(level) {
  const x = Math.min(0.9999, Math.max(0, level)) * (MAGMA.length - 1), i = Math.floor(x);
  return MAGMA[i].map((value, c) => value + (x - i) * (MAGMA[i + 1][c] - value));
}

const COLOURS = Uint8ClampedArray.from({length: 256 * 3}, (_, i) => magma(Math.floor(i / 3) / 255)[i % 3]);

/** What a picture is computed with; one serves many. */
export class Lens {
  constructor(rate, rows = 120, nFft = rate > 30000 ? 4096 : 2048) {
    Object.assign(this, {rate, rows, nFft});
    this.stft = new STFT(new Plain(), nFft, 1);
    this.frame = this.stft.kernel.block(4 * this.stft.row);
    const high = Math.min(HIGH, rate / 2), step = (high / LOW) ** (1 / rows);
    // Of each row, from the top: its bins, at least one.
    this.bands = Array.from({length: rows}, (_, y) => {
      const bottom = LOW * step ** (rows - 1 - y), bin = (hz) => (hz * nFft) / rate;
      const first = Math.round(bin(bottom));
      return [first, Math.min(nFft / 2, Math.max(first, Math.round(bin(bottom * step)) - 1))];
    });
  }

  /** Levels of the sound around a sample: power in dB per row, into `out`. */
  column(track, centre, out) {
    const {stft, frame, nFft} = this, {kernel, row} = stft;
    const [left, right] = track.read(centre - nFft / 2, nFft);
    stft.left.values.set(left);
    stft.right.values.set(right);
    kernel.analyse(frame, stft.left, stft.right, stft.window, stft.turns, stft.re, stft.im, nFft, row);
    const x = frame.values;
    this.bands.forEach(([first, last], y) => {
      let power = 1e-20;
      for (let k = first; k <= last; k++) {
        power = Math.max(power, x[k] ** 2 + x[row + k] ** 2 + x[2 * row + k] ** 2 + x[3 * row + k] ** 2);
      }
      out[y] = 10 * Math.log10(power);
    });
  }
}

/** A canvas that fills from the left as the sound comes to be there. */
export class Picture {
  /** `top`: the level, in dB, that is brightest; null: that of the loudest hundredth. */
  constructor(canvas, lens, columns = 900, top = null) {
    Object.assign(this, {canvas, lens, columns, top, done: 0});
    canvas.width = columns;
    canvas.height = lens.rows;
    this.levels = new Float32Array(columns * lens.rows).fill(-200);
  }

  /** Add the columns that `samples` of the track allow. */
  draw(track, samples = track.length) {
    const {lens, columns, levels} = this, {rows} = lens, step = track.length / columns;
    const margin = samples < track.length ? lens.nFft / 2 : 0, first = this.done;
    while (this.done < columns && (this.done + 0.5) * step + margin <= samples) {
      const x = this.done++;
      lens.column(track, Math.round((x + 0.5) * step), levels.subarray(x * rows, (x + 1) * rows));
    }
    if (this.done === columns) this.top ??= this.loudest();
    this.paint(this.done === columns && first > 0 && this.top === null ? 0 : first, this.done);
  }

  /** The level that a hundredth of the picture exceeds. */
  loudest() {
    const sorted = Float32Array.from(this.levels).sort();
    return sorted[Math.floor(0.99 * sorted.length)] + 6;
  }

  paint(first, last) {
    if (last <= first) return;
    const {levels, lens: {rows}} = this, top = this.top ?? this.loudest();
    const context = this.canvas.getContext("2d"), image = context.createImageData(last - first, rows);
    for (let x = first; x < last; x++) {
      for (let y = 0; y < rows; y++) {
        const level = 1 + (levels[x * rows + y] - top) / SPAN;
        const colour = 3 * Math.round(255 * Math.min(1, Math.max(0, level)));
        const at = 4 * (y * (last - first) + x - first);
        image.data.set(COLOURS.subarray(colour, colour + 3), at);
        image.data[at + 3] = 255;
      }
    }
    context.putImageData(image, first, 0);
  }
}
