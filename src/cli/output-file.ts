import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { TealError, toTealError } from "../model/error.ts";
import type { Call } from "./call.ts";

/** Writes what a person asked for to a file, relative to where they are. @throws `usage` when it cannot be written */
export async function writeOutput(call: Call, file: string, content: string): Promise<void> {
  try {
    await writeFile(resolve(call.io.cwd, file), content);
  } catch (cause) {
    throw new TealError("usage", `${file} cannot be written: ${toTealError(cause).message}`, { cause });
  }
}
