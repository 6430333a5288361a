import picocolors from "picocolors";
import type { Sink } from "./io.ts";

export type Paint = (text: string) => string;

/** Colours by meaning, so that the same thing looks the same everywhere. */
export interface Style {
  readonly strong: Paint;
  readonly faint: Paint;
  readonly good: Paint;
  readonly bad: Paint;
  readonly warn: Paint;
  /** An environment in a colour of its own: blue is blue and green is green. */
  environment(name: string, text?: string): string;
}

/** NO_COLOR (no-color.org) wins, then FORCE_COLOR, then whether it is a terminal that can. */
function colours(sink: Sink, env: Readonly<Record<string, string | undefined>>): boolean {
  if ((env["NO_COLOR"] ?? "") !== "") return false;
  const force = env["FORCE_COLOR"];
  if (force !== undefined) return force !== "0" && force !== "false";
  return sink.terminal && env["TERM"] !== "dumb";
}

export function styleFor(sink: Sink, env: Readonly<Record<string, string | undefined>>): Style {
  const paint = picocolors.createColors(colours(sink, env));
  const own: Readonly<Record<string, Paint>> = { blue: paint.blue, green: paint.green };
  return {
    strong: paint.bold,
    faint: paint.dim,
    good: paint.green,
    bad: paint.red,
    warn: paint.yellow,
    environment: (name, text = name) => (own[name] ?? paint.cyan)(text),
  };
}
