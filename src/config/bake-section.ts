import { z } from "zod";
import type { Milliseconds } from "../model/time.ts";
import { map } from "./map.ts";
import { wording } from "./problems.ts";
import { duration } from "./quantities.ts";
import { type Finding, rule } from "./rule.ts";
import { integer } from "./texts.ts";

export interface Bake {
  readonly forMs: Milliseconds;
  /** Percent of the traffic that stays on the old environment meanwhile. */
  readonly holdback?: number;
}

const time = duration("0", "7d").meta({
  description: "How long the guardrails go on watching after the shift, until the deployment is done.",
  examples: ["15m"],
});

const whole = map({
  for: time,
  holdback: integer(1, 10)
    .meta({
      description:
        "Percent of the traffic that the old environment keeps meanwhile, so that the new one is still compared with it. The rest follows at the end of the bake.",
      examples: [1],
    })
    .exactOptional(),
})
  .check(rule<{ readonly for: number; readonly holdback?: number }>(["for", "holdback"], bakesAtAll))
  .transform(({ for: forMs, ...rest }): Bake => ({ forMs, ...rest }));

const plain = time.transform((forMs): Bake => ({ forMs }));

/** `deploy.bake`: a duration, or a map. Not a union, so that what is wrong in a map is told at its own place. */
export const bakeSection = z.unknown().transform(async (value, context): Promise<Bake> => {
  const isMap = typeof value === "object" && value !== null && !Array.isArray(value);
  const read = await (isMap ? whole : plain).safeParseAsync(value, { error: wording });
  if (read.success) return read.data;
  for (const issue of read.error.issues) {
    const keys = issue.code === "unrecognized_keys" ? issue.keys.map((key) => [key]) : [[]];
    const messages = issue.message.split("\n");
    for (const [index, key] of keys.entries()) {
      const message = messages[index] ?? issue.message;
      context.issues.push({ code: "custom", message, path: [...issue.path, ...key], input: value });
    }
  }
  return z.NEVER;
});

/** For editors and the reference: either form. */
export const BAKE_META = {
  ...json(plain),
  type: ["string", "integer", "object"],
  ...only(json(whole), ["properties", "required", "additionalProperties"]),
  title: "duration, 0 to 7d, or a map",
};

function json(schema: z.ZodType): Record<string, unknown> {
  const { $schema: _, examples: _example, description: _words, ...rest } = z.toJSONSchema(schema, { io: "input" });
  return rest;
}

function only(all: Readonly<Record<string, unknown>>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, all[name]]));
}

function bakesAtAll({ for: forMs, holdback }: { readonly for: number; readonly holdback?: number }): Finding[] {
  return forMs === 0 && holdback !== undefined
    ? [{ at: ["holdback"], message: "needs a bake that takes time: `for` is 0" }]
    : [];
}
