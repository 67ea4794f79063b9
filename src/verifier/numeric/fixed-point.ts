/**
 * Elementary functions on fixed-point numbers: a BigInt n stands for n / 2^bits. Arguments are already reduced; results err by
 * a few units in the last place.
 */
/** Guard bits that the sums and doublings below use up. */
const guard = 16;

/** exp(r) for |r| ≤ 1. */
export function exponentialFixed(r: bigint, bits: number): bigint {
  const halvings = halvingsFor(bits);
  const working = bits + halvings + guard;
  const shift = BigInt(working);
  const x = (r << BigInt(halvings + guard)) >> BigInt(halvings);
  const unit = 1n << shift;
  let term = unit;
  let sum = unit;
  for (let k = 1n; ; k++) {
    term = ((term * x) >> shift) / k;
    if (term === 0n || term === -1n) break;
    sum += term;
  }
  for (let index = 0; index < halvings; index++) sum = (sum * sum) >> shift;
  return sum >> BigInt(working - bits);
}

/** Sine and cosine of r for |r| ≤ 1. */
export function sineAndCosineFixed(r: bigint, bits: number): [bigint, bigint] {
  const halvings = halvingsFor(bits);
  const working = bits + 2 * halvings + guard;
  const shift = BigInt(working);
  const unit = 1n << shift;
  const x = (r << BigInt(working - bits)) >> BigInt(halvings);
  const square = (x * x) >> shift;
  let sine = alternatingSeries(x, square, 2n, shift);
  // 1 - cos, which keeps its precision while it is doubled.
  let versine = alternatingSeries(square >> 1n, square, 3n, shift);
  for (let index = 0; index < halvings; index++) {
    const next = (2n * sine * (unit - versine)) >> shift;
    versine = (2n * sine * sine) >> shift;
    sine = next;
  }
  const drop = BigInt(working - bits);
  return [sine >> drop, (unit - versine) >> drop];
}

/** first · (1 - square / (k (k+1)) + square² / (k (k+1) (k+2) (k+3)) - ...). */
function alternatingSeries(first: bigint, square: bigint, k: bigint, shift: bigint): bigint {
  let term = first;
  let sum = first;
  for (let index = k; ; index += 2n) {
    term = -((term * square) >> shift) / (index * (index + 1n));
    if (term === 0n) return sum;
    sum += term;
  }
}

/** More halvings of the argument make the series shorter. */
const halvingsFor = (bits: number): number => Math.ceil(Math.sqrt(bits) * 0.6);

/** arctan(1/n) for an integer n > 1. */
function arctangentOfInverse(n: bigint, bits: number): bigint {
  const square = n * n;
  let power = (1n << BigInt(bits)) / n;
  let sum = power;
  for (let k = 3n; power !== 0n; k += 2n) {
    power /= square;
    const term = power / k;
    sum += k % 4n === 3n ? -term : term;
  }
  return sum;
}

/** artanh(1/n) for an integer n > 1. */
function hyperbolicArctangentOfInverse(n: bigint, bits: number): bigint {
  const square = n * n;
  let power = (1n << BigInt(bits)) / n;
  let sum = power;
  for (let k = 3n; power !== 0n; k += 2n) {
    power /= square;
    sum += power / k;
  }
  return sum;
}

/** Values computed once per precision; a table keeps the longest. */
function cached(compute: (bits: number) => bigint): (bits: number) => bigint {
  let known = 0n;
  let knownBits = 0;
  return (bits) => {
    if (bits > knownBits) {
      knownBits = Math.ceil((bits + guard) / 512) * 512;
      known = compute(knownBits + guard) >> BigInt(guard);
    }
    return known >> BigInt(knownBits - bits);
  };
}

/** π · 2^bits, rounded down to within two units. */
export const piFixed = cached((bits) => 16n * arctangentOfInverse(5n, bits) - 4n * arctangentOfInverse(239n, bits));

/** ln 2 · 2^bits, rounded down to within two units. */
export const logarithmOf2Fixed = cached(
  (bits) =>
    18n * hyperbolicArctangentOfInverse(26n, bits) -
    2n * hyperbolicArctangentOfInverse(4801n, bits) +
    8n * hyperbolicArctangentOfInverse(8749n, bits),
);

/** ln y for y in [1/2, 2]: one exponential after a start in doubles. */
export function logarithmFixed(y: bigint, bits: number): bigint {
  const working = bits + guard;
  const shift = BigInt(working);
  const start = toFixed(Math.log(Number((y << 64n) >> BigInt(bits)) / 2 ** 64), working);
  // y / e^start = 1 + small; ln(1 + small) = 2 artanh(small / (2 + small)).
  const ratio = ((y << BigInt(guard)) * exponentialFixed(-start, working)) >> shift;
  const small = ratio - (1n << shift);
  const quotient = (small << shift) / (small + (2n << shift));
  return (start + 2n * oddSeries(quotient, working, 1n)) >> BigInt(guard);
}

/** arctan x for |x| ≤ 1: one sine and cosine after a start in doubles. */
export function arctangentFixed(x: bigint, bits: number): bigint {
  const working = bits + guard;
  const shift = BigInt(working);
  const wide = x << BigInt(guard);
  const start = toFixed(Math.atan(Number((x << 64n) >> BigInt(bits)) / 2 ** 64), working);
  const [sine, cosine] = sineAndCosineFixed(start, working);
  const rise = ((wide * cosine) >> shift) - sine;
  const run = cosine + ((wide * sine) >> shift);
  return (start + oddSeries((rise << shift) / run, working, -1n)) >> BigInt(guard);
}

/** z + s z³/3 + z⁵/5 + s z⁷/7 + ... for a small z and s = ±1. */
function oddSeries(z: bigint, bits: number, sign: bigint): bigint {
  const shift = BigInt(bits);
  const square = (sign * (z * z)) >> shift;
  let power = z;
  let sum = z;
  for (let k = 3n; ; k += 2n) {
    power = (power * square) >> shift;
    if (power === 0n || power === -1n) return sum;
    sum += power / k;
  }
}

/** A double as a fixed-point number. */
export function toFixed(value: number, bits: number): bigint {
  // 2^60 times a double below 2^10 is an integer of a size that a BigInt takes exactly.
  const scaled = BigInt(Math.trunc(value * 2 ** 60));
  return bits >= 60 ? scaled << BigInt(bits - 60) : scaled >> BigInt(60 - bits);
}
