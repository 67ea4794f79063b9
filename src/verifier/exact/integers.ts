/** Integer functions over BigInt. Callers bound the sizes; nothing here spends budget. */

/** Bits of |n|: 0 for 0, exact up to 2^53, at most 3 too large beyond 1000 bits. */
export function bitLength(n: bigint): number {
  const approximate = Math.abs(Number(n));
  if (approximate < 2 ** 53) return approximate < 2 ** 31 ? 32 - Math.clz32(approximate) : 53 - clz21(approximate);
  if (approximate < 1e300) return Math.floor(Math.log2(approximate)) + 1;
  return absoluteInteger(n).toString(16).length * 4;
}

/** Leading zeros of an integer from 2^31 to 2^53 in 53 bits. */
function clz21(n: number): number {
  return Math.clz32(Math.floor(n / 2 ** 32)) - 11;
}

export const absoluteInteger = (n: bigint): bigint => (n < 0n ? -n : n);

/** Floor of the square root of n ≥ 0. */
export function squareRoot(n: bigint): bigint {
  const bits = bitLength(n);
  if (bits <= 52) return BigInt(Math.floor(Math.sqrt(Number(n))));
  const half = BigInt(Math.max(0, (bits - 52) >> 1));
  const top = Math.floor(Math.sqrt(Number(n >> (2n * half)))) + 1;
  return descend(n, BigInt(top) << half);
}

/** Newton's steps from a start that is not too small. */
function descend(n: bigint, start: bigint): bigint {
  let root = start;
  for (;;) {
    const next = (root + n / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

/** The k-th root of n ≥ 0 where it is an integer, else null; k ≥ 1. */
export function perfectRoot(n: bigint, k: number): bigint | null {
  if (n < 2n || k === 1) return n;
  const bits = bitLength(n);
  if (k >= bits) return null;
  if (k === 2) {
    const root = squareRoot(n);
    return root * root === n ? root : null;
  }
  const degree = BigInt(k);
  // The leading 50 bits of the root, then Newton from above.
  const shift = Math.max(0, Math.floor(bits / k) - 50);
  const leading = Math.pow(2, log2(n) / k - shift);
  let root = (BigInt(Math.ceil(leading * (1 + 1e-9))) + 1n) << BigInt(shift);
  for (;;) {
    const next = ((degree - 1n) * root + n / root ** (degree - 1n)) / degree;
    if (next >= root) break;
    root = next;
  }
  return root ** degree === n ? root : null;
}

/** Logarithm of |n| to base 2 as a double; -Infinity for 0. */
export function log2(n: bigint): number {
  const approximate = Math.abs(Number(n));
  if (approximate < 1e300) return Math.log2(approximate);
  const shift = bitLength(n) - 64;
  return Math.log2(Math.abs(Number(n >> BigInt(shift)))) + shift;
}

/** n! for a small n ≥ 0. */
export function factorial(n: number): bigint {
  return rangeProduct(1, n, 1);
}

/** low · (low + step) · ... up to high, 1 when empty; low ≥ 1. */
export function rangeProduct(low: number, high: number, step: number): bigint {
  const count = Math.floor((high - low) / step) + 1;
  if (count <= 0) return 1n;
  if (count <= 8) {
    let product = BigInt(low);
    for (let factor = low + step; factor <= high; factor += step) product *= BigInt(factor);
    return product;
  }
  const middle = low + (count >> 1) * step;
  return rangeProduct(low, middle - step, step) * rangeProduct(middle, high, step);
}

/** base^exponent modulo a modulus > 1, for exponent ≥ 0 and 0 ≤ base < modulus. */
export function powerModulo(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  let square = base;
  for (let left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}
