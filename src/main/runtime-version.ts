import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { TealError } from "../model/error.ts";

export const VERSION_FILE = "VERSION.json";

/** What a folder of runtime bundles says of itself, in VERSION.json. */
const runtimeVersionSchema = z.object({
  /** `<package version>-<first 8 hex digits of hash>`: also the name of the folder under .teal/runtime. */
  version: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$/),
  /** SHA-256 of the bundles, by {@link hashOf}. */
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  /** The bundles' names, sorted. */
  files: z.array(z.string().regex(/^[a-z][a-z-]*\.mjs$/)).readonly(),
});
export type RuntimeVersion = z.output<typeof runtimeVersionSchema>;

/** Where a package (dist/main) and a checkout (src/main) keep the bundles: dist/runtime in the package's root. */
export function packageRuntimeDir(): string {
  return fileURLToPath(new URL("../../dist/runtime", import.meta.url));
}

/** SHA-256 over names and contents of `files` in `folder`, in hex. */
export async function hashOf(folder: string, files: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const name of files) {
    const content = await readFile(join(folder, name));
    hash.update(`${name}\0${String(content.byteLength)}\0`).update(content);
  }
  return hash.digest("hex");
}

/** @throws TealError `internal` when the folder holds no readable VERSION.json: a damaged install. */
export async function readRuntimeVersion(folder: string): Promise<RuntimeVersion> {
  try {
    return runtimeVersionSchema.parse(JSON.parse(await readFile(join(folder, VERSION_FILE), "utf8")));
  } catch (cause) {
    throw new TealError("internal", `${join(folder, VERSION_FILE)} is missing or damaged`, {
      cause,
      remedy: "Install the package again; in a checkout run `npm run build`.",
    });
  }
}
