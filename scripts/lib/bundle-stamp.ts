import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";

const stampSchema = z.object({
  entries: z.array(z.string()),
  outputs: z.array(z.string()),
  /** Path → modification time in ms and size in bytes, of every file that went into the bundles. */
  inputs: z.record(z.string(), z.tuple([z.number(), z.number()])),
});
export type BundleStamp = z.output<typeof stampSchema>;

function fingerprint(path: string): [number, number] | null {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? null : [stat.mtimeMs, stat.size];
}

/** What the bundles were made of, for {@link isCurrent} at the next run. Paths are relative to `root`. */
export function stampOf(
  root: string,
  entries: readonly string[],
  inputs: readonly string[],
  outputs: readonly string[],
): BundleStamp {
  const found = inputs.flatMap((path) => {
    const print = fingerprint(join(root, path));
    return print === null ? [] : [[path, print] as const];
  });
  return { entries: [...entries], outputs: [...outputs], inputs: Object.fromEntries(found) };
}

/** Whether nothing has changed since the stamp was written: same entries, untouched inputs, outputs in place. */
export function isCurrent(root: string, stamp: BundleStamp, entries: readonly string[]): boolean {
  return (
    stamp.entries.join() === entries.join() &&
    stamp.outputs.every((path) => existsSync(join(root, path))) &&
    Object.entries(stamp.inputs).every(([path, [mtimeMs, size]]) => {
      const now = fingerprint(join(root, path));
      return now !== null && now[0] === mtimeMs && now[1] === size;
    })
  );
}

/** @returns null when there is none, or one that an older version of this script wrote. */
export function readStamp(file: string): BundleStamp | null {
  if (!existsSync(file)) return null;
  const parsed = stampSchema.safeParse(JSON.parse(readFileSync(file, "utf8")));
  return parsed.success ? parsed.data : null;
}

export function writeStamp(file: string, stamp: BundleStamp): void {
  mkdirSync(dirname(file), { recursive: true });
  const whole = `${file}.${String(process.pid)}`;
  writeFileSync(whole, JSON.stringify(stamp));
  renameSync(whole, file);
}
