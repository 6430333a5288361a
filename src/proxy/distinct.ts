/**
 * How many distinct keys a sketch of fixed size has seen: HyperLogLog (Flajolet, Fusy, Gandouet, Meunier 2007), with the
 * estimator of Ertl, "New cardinality estimation algorithms for HyperLogLog sketches", 2017, which needs no tables and no
 * corrections at either end (Heule, Nunkesser, Hall 2013 have both).
 *
 * A sketch is {@link REGISTERS} bytes. It is off by 1.04/√m (one standard deviation; DISTINCT_ERROR of the model) of what it says, whatever that
 * is up to some 10⁸, where keys begin to share their 32 bits. Of several sketches of one size the largest byte at each
 * place is the sketch of all their keys.
 */
const PRECISION = 14;
export const REGISTERS = 2 ** PRECISION;
/** Bits left for the rank. */
const REST = 32 - PRECISION;
const ALPHA = 1 / (2 * Math.log(2));

/**
 * Adds a key by its hash, of 32 bits that are spread evenly among the keys of one sketch.
 * @param at where the sketch begins in `registers`
 */
export function addHash(registers: Uint8Array, at: number, hash: number): void {
  const index = at + (hash >>> REST);
  const rest = (hash << PRECISION) >>> 0;
  const rank = Math.min(Math.clz32(rest), REST) + 1;
  if (rank > (registers[index] ?? 0)) registers[index] = rank;
}

/** How many distinct hashes sketches have seen together; each is {@link REGISTERS} long. */
export function estimate(sketches: readonly Uint8Array[]): number {
  const counts = Array.from({ length: REST + 2 }, () => 0);
  for (let index = 0; index < REGISTERS; index += 1) {
    let rank = 0;
    for (const sketch of sketches) rank = Math.max(rank, sketch[index] ?? 0);
    counts[rank] = (counts[rank] ?? 0) + 1;
  }
  const share = (rank: number): number => (counts[rank] ?? 0) / REGISTERS;
  let z = REGISTERS * tau(1 - share(REST + 1));
  for (let rank = REST; rank >= 1; rank -= 1) z = 0.5 * (z + (counts[rank] ?? 0));
  z += REGISTERS * sigma(share(0));
  return z === Infinity ? 0 : (ALPHA * REGISTERS * REGISTERS) / z;
}

/** Ertl 2017, algorithm 6: x + Σ x^(2^k) · 2^(k-1). */
function sigma(share: number): number {
  if (share === 1) return Infinity;
  let [x, y, z] = [share, 1, share];
  for (let before = -1; z !== before;) {
    before = z;
    x *= x;
    z += x * y;
    y += y;
  }
  return z;
}

/** Ertl 2017, algorithm 6: (1 - x - Σ (1 - x^(2^-k))² · 2^-k) / 3. */
function tau(share: number): number {
  if (share === 0 || share === 1) return 0;
  let [x, y, z] = [share, 1, 1 - share];
  for (let before = -1; z !== before;) {
    before = z;
    x = Math.sqrt(x);
    y *= 0.5;
    z -= (1 - x) ** 2 * y;
  }
  return z / 3;
}
