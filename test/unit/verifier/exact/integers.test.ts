import fc from 'fast-check';
import {
  bitLength,
  factorial,
  log2,
  perfectRoot,
  powerModulo,
  rangeProduct,
  squareRoot,
} from '../../../../src/verifier/exact/integers';

const large = fc.bigInt({ min: 0n, max: 1n << 1500n });

test('bitLength bounds its number tightly', () => {
  fc.assert(
    fc.property(large, (n) => {
      const exact = n === 0n ? 0 : n.toString(2).length;
      const bits = bitLength(n);
      expect(bits).toBeGreaterThanOrEqual(exact);
      expect(bits - exact).toBeLessThanOrEqual(3);
      expect(bitLength(-n)).toBe(bits);
    }),
  );
  expect([0n, 1n, 2n, 255n, 256n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n - 1n].map(bitLength)).toEqual([
    0, 1, 2, 8, 9, 32, 33, 53,
  ]);
});

test('squareRoot is the floor of the root', () => {
  fc.assert(
    fc.property(large, (n) => {
      const root = squareRoot(n);
      expect(root * root <= n && (root + 1n) ** 2n > n).toBe(true);
    }),
  );
});

test('perfectRoot finds roots of powers and only those', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 2n, max: 1n << 200n }), fc.integer({ min: 2, max: 9 }), (n, k) => {
      expect(perfectRoot(n ** BigInt(k), k)).toBe(n);
      expect(perfectRoot(n ** BigInt(k) + 1n, k)).toBeNull();
      expect(perfectRoot(n ** BigInt(k) - 1n, k)).toBeNull();
    }),
  );
});

test('log2 agrees with doubles and with powers beyond them', () => {
  expect(log2(0n)).toBe(-Infinity);
  expect(log2(-10n)).toBeCloseTo(Math.log2(10), 12);
  expect(log2(3n ** 3000n)).toBeCloseTo(3000 * Math.log2(3), 8);
});

test('products of ranges', () => {
  expect(factorial(20)).toBe(2432902008176640000n);
  expect(factorial(0)).toBe(1n);
  expect(rangeProduct(1, 9, 2)).toBe(945n);
  expect(rangeProduct(5, 4, 1)).toBe(1n);
  expect(rangeProduct(1, 100, 1) / rangeProduct(1, 98, 1)).toBe(9900n);
});

test('powers modulo a number', () => {
  fc.assert(
    fc.property(fc.bigInt(0n, 1000n), fc.bigInt(0n, 60n), fc.bigInt(1001n, 100_000n), (a, n, m) => {
      expect(powerModulo(a, n, m)).toBe(a ** n % m);
    }),
  );
});
