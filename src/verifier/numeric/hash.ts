/** Hashes of names, for values that depend on nothing but the name and a seed. */

/** A 32-bit hash; equal texts and seeds give equal values on every machine. */
export function hash32(text: string, seed: number): number {
  let hash = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ text.length;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
    hash ^= hash >>> 15;
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** A residue in [1, modulus) for a modulus of at most 62 bits. */
export function hashResidue(text: string, seed: number, modulus: bigint): bigint {
  const wide = (BigInt(hash32(text, 2 * seed)) << 32n) | BigInt(hash32(text, 2 * seed + 1));
  return (wide % (modulus - 1n)) + 1n;
}
