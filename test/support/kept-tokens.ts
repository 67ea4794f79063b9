/** The sets of `Rollout.keptTokens`, as native/model/kept_sets.h writes them, to and from lists of ids; null: every token. */

function numberBytes(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...numberBytes(value >> 7)];
}

export function encodeKept(sets: readonly (readonly number[] | null)[], vocabSize: number): Uint8Array {
  const most = 1 + Math.ceil(vocabSize / 8);
  return Uint8Array.from(
    sets.flatMap((ids) => {
      if (ids === null) return [0];
      const distances = ids.map((id, i) => id - (i === 0 ? 0 : ids[i - 1] + 1));
      const list = [1 + 2 * ids.length, ...distances].flatMap(numberBytes);
      if (list.length <= most) return list;
      const bits = new Uint8Array(most).fill(2, 0, 1);
      for (const id of ids) bits[1 + (id >> 3)] |= 1 << (id & 7);
      return [...bits];
    }),
  );
}

export function decodeKept(bytes: Uint8Array, vocabSize: number): (number[] | null)[] {
  const sets: (number[] | null)[] = [];
  let at = 0;
  const next = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++];
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const header = next();
    if (header === 0) sets.push(null);
    else if (header === 2) {
      const from = at;
      at += Math.ceil(vocabSize / 8);
      const ids = Array.from({ length: vocabSize }, (_, id) => id);
      sets.push(ids.filter((id) => ((bytes[from + (id >> 3)] >> (id & 7)) & 1) === 1));
    } else {
      let id = -1;
      sets.push(Array.from({ length: header >> 1 }, () => (id += next() + 1)));
    }
  }
  return sets;
}
