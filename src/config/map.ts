import { z } from "zod";
import { didYouMean } from "./nearest.ts";

/** A map of exactly these keys. Each unknown key is one line of the issue's message; see problems.ts. */
export function map<const Shape extends z.core.$ZodLooseShape>(shape: Shape, also: readonly string[] = []) {
  const known = [...Object.keys(shape), ...also];
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys" ? issue.keys.map((key) => unknownKey(key, known)).join("\n") : undefined,
  });
}

function unknownKey(key: string, known: readonly string[]): string {
  const hint = didYouMean(key, known);
  return `is not a known key${hint === "" ? `; known are ${known.join(", ")}` : hint}`;
}
