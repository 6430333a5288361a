import { z } from "zod";
import { didYouMean } from "./nearest.ts";

/** A map of exactly these keys; `refused` says why others, which one might expect, are not possible. Each unknown key is one line of the issue's message; see problems.ts. */
export function map<const Shape extends z.core.$ZodLooseShape>(
  shape: Shape,
  also: readonly string[] = [],
  refused: Readonly<Record<string, string>> = {},
) {
  const known = [...Object.keys(shape), ...also];
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys"
        ? issue.keys.map((key) => refused[key] ?? unknownKey(key, known)).join("\n")
        : undefined,
  });
}

function unknownKey(key: string, known: readonly string[]): string {
  const hint = didYouMean(key, known);
  return `is not a known key${hint === "" ? `; known are ${known.join(", ")}` : hint}`;
}
