// Weights as `unmix-lite export` writes them: safetensors, matrices in 8 bits with a scale per row.

const TYPES = {F32: Float32Array, I8: Int8Array};

/** The tensors of a .safetensors file: name -> {shape, values}. */
export function readSafetensors(buffer) {
  const size = Number(new DataView(buffer).getBigUint64(0, true));
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, size)));
  const tensors = {};
  for (const [name, about] of Object.entries(head)) {
    if (name === "__metadata__") continue;
    const type = TYPES[about.dtype];
    if (!type) throw new Error(`${name} is of type ${about.dtype}; the engine reads F32 and I8.`);
    const [begin, end] = about.data_offsets;
    // A copy, which begins where numbers of this type may begin.
    const bytes = buffer.slice(8 + size + begin, 8 + size + end);
    tensors[name] = {shape: about.shape, values: new type(bytes)};
  }
  return tensors;
}

/** A matrix as a block of float32, each row filled up to a multiple of four numbers. */
export function matrix(kernel, tensors, name) {
  const {shape: [rows, columns], values} = tensors[name];
  const scale = tensors[`${name}.scale`]?.values;
  const width = Math.ceil(columns / 4) * 4;
  const block = kernel.block(rows * width), numbers = block.values;
  for (let r = 0; r < rows; r++) {
    const factor = scale ? scale[r] : 1;
    for (let c = 0; c < columns; c++) numbers[r * width + c] = factor * values[r * columns + c];
  }
  return {block, rows, columns, width};
}

/** A vector as a block. */
export function vector(kernel, tensors, name) {
  const {values} = tensors[name];
  const block = kernel.block(values.length);
  block.values.set(values);
  return block;
}
