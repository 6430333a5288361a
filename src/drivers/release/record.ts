import { readFile } from "node:fs/promises";
import { z } from "zod";
import { TealError } from "../../model/error.ts";
import { replaceFile } from "../../wire/durable-file.ts";
import { errnoOf } from "./source.ts";

/**
 * What is kept beside a release's folder. Version 1 of its format; older ones are read for ever. `directory` is null for
 * the folder of the release itself, so that the state directory can be moved.
 */
const record = z.object({ format: z.literal(1), directory: z.string().nullable(), digest: z.string().nullable() });
export type ReleaseRecord = z.output<typeof record>;

/** Null when there is none. @throws `state-directory` when it is damaged */
export async function readRecord(path: string): Promise<ReleaseRecord | null> {
  const text = await readFile(path, "utf8").catch((thrown: unknown) => {
    if (errnoOf(thrown) === "ENOENT") return null;
    throw thrown;
  });
  if (text === null) return null;
  try {
    return record.parse(JSON.parse(text));
  } catch (cause) {
    throw new TealError("state-directory", `${path} is damaged`, {
      cause,
      remedy: "Remove that file, and deploy again.",
    });
  }
}

/** Whole or not at all, and durable when it returns. */
export async function writeRecord(path: string, value: ReleaseRecord): Promise<void> {
  await replaceFile(path, JSON.stringify(value));
}
