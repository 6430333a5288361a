import { z } from "zod";

/** A column of JSON text, decoded and checked. */
export function json<T>(shape: z.ZodType<T>): z.ZodType<T> {
  return z
    .string()
    .transform((text, context): unknown => {
      try {
        return JSON.parse(text);
      } catch {
        context.issues.push({ code: "custom", message: "not JSON", input: text });
        return z.NEVER;
      }
    })
    .pipe(shape);
}

/** 0 or 1: SQLite has no booleans. */
export const flag = z.union([z.literal(0), z.literal(1)]).transform((value) => value === 1);

/** JSON text, or SQL's NULL. */
export function encode(value: unknown): string | null {
  return value === null || value === undefined ? null : JSON.stringify(value);
}
