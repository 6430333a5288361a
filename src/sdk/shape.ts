import type { z } from "zod";
import { TealError } from "../model/error.ts";

/** JSON, or undefined when the text is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Text of the server as what it should be. @throws `protocol-mismatch` naming the places */
export function readShape<T>(schema: z.ZodType<T>, text: string, what: string): T {
  const read = schema.safeParse(parseJson(text));
  if (read.success) return read.data;
  const where = read.error.issues.map(({ path, message }) =>
    [path.join("."), message].filter((part) => part !== "").join(": "),
  );
  throw new TealError("protocol-mismatch", `the server's answer to ${what} is not understood: ${where.join("; ")}`);
}
