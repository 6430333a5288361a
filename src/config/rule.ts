import { z } from "zod";

/** Something that a rule found, at a place under what the rule is on. */
export interface Finding {
  readonly at: readonly (string | number)[];
  readonly message: string;
}

type Payload = z.core.ParsePayload;

/**
 * A rule between fields of one map. It runs whenever the fields that it names are sound, whatever else is wrong, so
 * that all problems of a file come at once.
 */
export function rule<T>(fields: readonly (keyof T & string)[], find: (value: T) => readonly Finding[]) {
  return ruleWhen<T>(
    (payload) => isMap(payload.value) && !payload.issues.some((issue) => touches(issue.path, fields)),
    find,
  );
}

/** A rule that runs even when what it is on has problems; `find` must expect any value. */
export function tolerantRule(find: (value: unknown) => readonly Finding[]) {
  return ruleWhen<unknown>(() => true, find);
}

/** For a list of texts: none twice. */
export const distinct = tolerantRule((list) =>
  isList(list)
    ? list.flatMap((item, index) =>
        typeof item === "string" && list.indexOf(item) !== index
          ? [{ at: [index], message: `${item} is in the list twice` }]
          : [],
      )
    : [],
);

function ruleWhen<T>(when: (payload: Payload) => boolean, find: (value: T) => readonly Finding[]) {
  return z.superRefine<T>(
    (value, context) => {
      for (const { at, message } of find(value)) context.addIssue({ code: "custom", message, path: [...at] });
    },
    { when },
  );
}

function touches(path: readonly PropertyKey[] | undefined, fields: readonly string[]): boolean {
  const first = path?.[0];
  return typeof first === "string" && fields.includes(first);
}

function isMap(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}
