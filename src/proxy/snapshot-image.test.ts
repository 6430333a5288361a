import fc from "fast-check";
import { expect, test } from "vitest";
import { crc32 } from "node:zlib";
import { SnapshotImage } from "./snapshot-image.ts";

const SLOT = 1_000_000;

const textOf = (name: string, length: number): Buffer =>
  Buffer.from(JSON.stringify({ service: name, pad: "x".repeat(length) }));

/** Services and their pads, in the order of the bytes. */
function read(image: SnapshotImage): ReadonlyMap<string, number> {
  const { bytes } = image.take();
  const { version, services } = JSON.parse(Buffer.from(bytes).toString()) as {
    version: number;
    services: { service: string; pad: string }[];
  };
  expect(version).toBe(1);
  return new Map(services.map(({ service, pad }) => [service, pad.length]));
}

const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ name: fc.nat(12), length: fc.oneof(fc.nat(40), fc.nat(90_000)) }) },
    { weight: 2, arbitrary: fc.constant("take" as const) },
  ),
  { maxLength: 60 },
);

test.each([
  ["much room", SLOT],
  ["hardly any", 200_000],
])("it holds what was set last of each service, with its checksum, within %s", (_, most) => {
  fc.assert(
    fc.property(steps, fc.nat(2 ** 32 - 1), (all, seed) => {
      const image = new SnapshotImage(most);
      const known = new Map<string, number>();
      for (const step of all) {
        if (step === "take") {
          expect(Object.fromEntries(read(image))).toEqual(Object.fromEntries(known));
          continue;
        }
        const name = `s${String(step.name)}`;
        const text = textOf(name, step.length);
        const least = image.bytesWith(name, text);
        // As the snapshot refuses what would not fit.
        if (least > most) continue;
        image.set(name, text);
        known.set(name, step.length);
        expect(image.bytesWith(name, text)).toBe(least);
      }
      const { bytes, checksum } = image.take();
      expect(bytes.length).toBeLessThanOrEqual(most);
      expect(checksum(seed)).toBe(crc32(bytes, seed));
      expect(Object.fromEntries(read(image))).toEqual(Object.fromEntries(known));
    }),
    { numRuns: 300, seed: 2_026 },
  );
});

test("bytes that were taken stay as they are until they are taken again", () => {
  const image = new SnapshotImage(SLOT);
  image.set("a", textOf("a", 10));
  const { bytes } = image.take();
  const before = Buffer.from(bytes);
  image.set("a", textOf("a", 20));
  image.set("b", textOf("b", 20));
  expect(Buffer.from(bytes)).toEqual(before);
  expect(read(image)).toEqual(
    new Map([
      ["a", 20],
      ["b", 20],
    ]),
  );
});

test("where nothing more fits it has the least bytes, which are known before", () => {
  const [old, grown, other] = [textOf("a", 10), textOf("a", 500), textOf("b", 80)];
  const free = new SnapshotImage(SLOT);
  free.set("b", other);
  const least = free.bytesWith("a", grown);
  const image = new SnapshotImage(least);
  for (const [name, text] of [
    ["a", old],
    ["b", other],
    ["a", grown],
  ] as const) {
    image.set(name, text);
    expect(image.take().bytes.length).toBeLessThanOrEqual(least);
  }
  expect(image.bytesWith("a", grown)).toBe(least);
  expect(image.take().bytes).toHaveLength(least);
  expect(read(image)).toEqual(
    new Map([
      ["b", 80],
      ["a", 500],
    ]),
  );
});

test("of thousands that change in turn, the bytes do not pile up", () => {
  const image = new SnapshotImage(4 * SLOT);
  const names = Array.from({ length: 2_000 }, (_, index) => `s${String(index)}`);
  for (const name of names) image.set(name, textOf(name, 700));
  image.take();
  for (let round = 0; round < 5; round += 1) {
    for (const name of names) {
      image.set(name, textOf(name, round % 2 === 0 ? 1_500 : 700));
      image.take();
    }
    const least = image.bytesWith("s0", textOf("s0", 700));
    expect(image.take().bytes.length).toBeLessThan(1.5 * least + 65_536 + 2_000);
  }
  expect(read(image).size).toBe(2_000);
});
