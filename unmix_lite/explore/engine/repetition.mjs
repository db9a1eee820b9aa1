// The mean of a network's guesses over the frames in which a source sounds alike (chapter 8's lab).

const CONTEXT = 3, SHARE = 5;

/**
 * out (frames, sources, 2 rows): `guesses` of the same shape, averaged over at most `neighbours`
 * frames that are alike in `estimates` (frames, sources, 4 rows, complex).
 */
export function averageRepetitions(kernel, out, guesses, estimates, frames, sources, row, neighbours) {
  const count = Math.min(neighbours, Math.floor(frames / SHARE)), size = sources * 2 * row;
  if (count < 2) {
    out.values.set(guesses.values.subarray(0, frames * size));
    return;
  }
  const mark = kernel.end;
  const points = kernel.block(frames * 2 * row), products = kernel.block(frames * frames);
  out.values.fill(0, 0, frames * size);
  for (let j = 0; j < sources; j++) {
    roots(kernel, points, estimates, frames, sources, row, j);
    kernel.multiply(products, points, points, null, frames, frames, 2 * row, 1);
    const distances = alongTime(squaredDistances(products.values, frames), frames);
    for (let t = 0; t < frames; t++) {
      for (const [other, weight] of weights(distances, frames, t, count)) {
        kernel.add_scaled(out.from(t * size + j * 2 * row), guesses.from(other * size + j * 2 * row),
                          weight, 2 * row);
      }
    }
  }
  kernel.release(mark);
}

/** Square roots of a source's magnitudes, left and right: (frames, 2 rows). */
function roots(kernel, points, estimates, frames, sources, row, j) {
  for (let t = 0; t < frames; t++) {
    for (const channel of [0, 1]) {
      const e = ((t * sources + j) * 4 + 2 * channel) * row;
      kernel.magnitude(points.from((2 * t + channel) * row), estimates.from(e),
                       estimates.from(e + row), null, row);
    }
  }
  kernel.root(points, frames * 2 * row);
}

/** From products of points, of which those below the diagonal are known. */
function squaredDistances(products, frames) {
  const distances = new Float64Array(frames * frames);
  for (let i = 0; i < frames; i++) {
    for (let j = 0; j < i; j++) {
      const square = products[i * frames + i] + products[j * frames + j] - 2 * products[i * frames + j];
      distances[i * frames + j] = distances[j * frames + i] = Math.max(0, square);
    }
  }
  return distances;
}

/** The mean with the frames around: along a diagonal, which is less long at the ends. */
function alongTime(distances, frames) {
  const means = new Float64Array(frames * frames);
  for (let i = 0; i < frames; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0, there = 0;
      const first = Math.max(-CONTEXT, -j), last = Math.min(CONTEXT, frames - 1 - i);
      for (let d = first; d <= last; d++, there++) sum += distances[(i + d) * frames + j + d];
      means[i * frames + j] = means[j * frames + i] = sum / there;
    }
  }
  return means;
}

/** Pairs of a frame and its weight, for frame t; the first that is no neighbour would weigh 0. */
function weights(distances, frames, t, count) {
  const row = distances.subarray(t * frames, (t + 1) * frames);
  const radius = Float64Array.from(row).sort()[count];
  const pairs = [];
  let total = 0;
  for (let other = 0; other < frames; other++) {
    // In silence all frames are the same, and each then keeps to itself.
    const weight = Math.max(0, radius - row[other]) + (other === t ? 1e-10 : 0);
    if (weight > 0) pairs.push([other, weight]);
    total += weight;
  }
  return pairs.map(([other, weight]) => [other, weight / total]);
}
