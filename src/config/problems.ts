import type { z } from "zod";
import type { Problem } from "../model/error.ts";
import { shown } from "./decode.ts";
import type { ConfigDocument } from "./document.ts";
import { type Path, pathText } from "./locate.ts";

/** A problem, and whether it is only a reference that does not resolve. */
export interface Found {
  readonly problem: Problem;
  /** Equal for the same trouble at the same spot of the file. */
  readonly spot: string;
  readonly unresolved: boolean;
}

/** zod's issues in the words of teal.yaml; the schemas' own messages come first. */
export const wording: z.core.$ZodErrorMap = (issue) => {
  if (issue.code === "invalid_type") {
    const expected = EXPECTED[issue.expected] ?? issue.expected;
    if (issue.input === undefined) return `is missing; it is ${expected}`;
    if (issue.input === null && (issue.path ?? []).length === 0) return "is empty";
    return issue.input === null ? `has no value; it must be ${expected}` : `is ${shown(issue.input)}, not ${expected}`;
  }
  if (issue.code === "too_small") return "is an empty list";
  if (issue.code === "too_big") return `has more than ${String(issue.maximum)} entries`;
  return undefined;
};

const EXPECTED: Readonly<Record<string, string>> = { object: "a map", record: "a map", array: "a list" };

/** One problem for each place. An issue of zod about unknown keys stands for one place per key. */
export function foundIn(issue: z.core.$ZodIssue, document: ConfigDocument): readonly Found[] {
  const path = issue.path.map((step) => (typeof step === "number" ? step : String(step)));
  if (issue.code === "unrecognized_keys") {
    const messages = issue.message.split("\n");
    return issue.keys.map((key, index) => found([...path, key], messages[index] ?? issue.message, document));
  }
  const unresolved = issue.code === "custom" && issue.params?.["unresolved"] === true;
  return [found(path, issue.message, document, unresolved)];
}

export function found(path: Path, message: string, document: ConfigDocument, unresolved = false): Found {
  const place = document.place(path);
  const spot = `${String(place?.offset)} ${String(path.at(-1))} ${message}`;
  return { problem: { path: pathText(path), line: place?.line ?? null, message }, spot, unresolved };
}

/** By line; what several services share by an alias is told once. */
export function inOrder(all: readonly Found[]): readonly Found[] {
  const once = new Map(all.toReversed().map((one) => [one.spot, one]));
  return [...once.values()].toReversed().toSorted((a, b) => (a.problem.line ?? 0) - (b.problem.line ?? 0));
}

/** `teal.yaml has 2 problems:` and a line for each: `teal.yaml:12: services.web.health.interval: …`. */
export function summary(file: string, problems: readonly Problem[]): string {
  const count = problems.length === 1 ? "1 problem" : `${String(problems.length)} problems`;
  const lines = problems.map(({ path, line, message }) =>
    [line === null ? file : `${file}:${String(line)}`, path, message].filter((part) => part !== "").join(": "),
  );
  return [`${file} has ${count}:`, ...lines].join("\n");
}
