import { z } from "zod";

/** Why a value of teal.yaml is not accepted; each message follows `path: `. */
export class Refusal {
  readonly messages: readonly string[];
  /** Whether all that is wrong is a reference that does not resolve, so that the file itself is sound. */
  readonly unresolved: boolean;

  constructor(messages: readonly string[], unresolved = false) {
    this.messages = messages;
    this.unresolved = unresolved;
  }
}

export function refuse(...messages: readonly string[]): Refusal {
  return new Refusal(messages);
}

/** What an editor and the reference show of a setting. Any keyword of JSON Schema may be given. */
export interface Meta {
  /** Name of the kind of value, such as `duration`. */
  readonly title: string;
  readonly [keyword: string]: unknown;
}

/** A scalar (or anything else that zod's own schemas do not explain well): decoded by a function that says what is wrong. */
export function scalar<T>(meta: Meta, decode: (value: unknown) => T | Refusal | Promise<T | Refusal>) {
  return z
    .unknown()
    .transform(async (value, context): Promise<T> => {
      const decoded = value === undefined || value === null ? absent(value) : await decode(value);
      if (!(decoded instanceof Refusal)) return decoded;
      for (const message of decoded.messages) {
        context.issues.push({ code: "custom", message, input: value, params: { unresolved: decoded.unresolved } });
      }
      return z.NEVER;
    })
    .meta({ ...meta });
}

function absent(value: null | undefined): Refusal {
  return refuse(value === null ? "has no value" : "is missing");
}

/** A value in words for a message; long text is cut. */
export function shown(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "a map";
  if (typeof value === "string")
    return value.length > 60 ? `${JSON.stringify(value.slice(0, 60))}…` : JSON.stringify(value);
  return String(value);
}
