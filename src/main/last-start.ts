import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { DEFAULT_API_LISTEN } from "../model/api-listen.ts";
import { replaceFile } from "../wire/durable-file.ts";
import type { StatePaths } from "../wire/paths.ts";
import { proxySettings } from "../wire/shapes.ts";

const lastStart = z.object({
  format: z.literal(1),
  /** teal.yaml, absolute. */
  config: z.string(),
  /** `proxy.listen` as it was read then. */
  listen: z.array(z.string()),
  /** The rest of `proxy`, likewise; absent from one before there was any. */
  settings: proxySettings.prefault({}),
  /** `server` as it was read then. */
  server: z
    .object({ listen: z.string(), hosts: z.array(z.string()) })
    .prefault({ listen: DEFAULT_API_LISTEN, hosts: [] }),
});

/** With what the server last started from a readable teal.yaml: enough to come back when that file is broken or gone. */
export type LastStart = Omit<z.output<typeof lastStart>, "format">;

const fileOf = (paths: StatePaths): string => join(paths.root, "last-start.json");

export function writeLastStart(paths: StatePaths, start: LastStart): Promise<void> {
  return replaceFile(fileOf(paths), JSON.stringify({ format: 1, ...start }));
}

/** Null when there has been none. @throws Error when the file is there and cannot be read */
export function readLastStart(paths: StatePaths): LastStart | null {
  let text: string;
  try {
    text = readFileSync(fileOf(paths), "utf8");
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT") return null;
    throw thrown;
  }
  return lastStart.parse(JSON.parse(text));
}
