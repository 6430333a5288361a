import { type Meta, refuse, type Refusal, scalar, shown } from "./decode.ts";
import { didYouMean } from "./nearest.ts";

/** Text that is not empty and can be passed to a program: without NUL. */
export function text(meta: Meta = { title: "text" }, check: (text: string) => string | Refusal = (value) => value) {
  return scalar({ type: "string", minLength: 1, ...meta }, (value) => {
    if (typeof value !== "string") return refuse(`must be text, not ${shown(value)}`);
    if (value.trim() === "") return refuse("is empty");
    return value.includes("\0") ? refuse("contains a NUL character") : check(value);
  });
}

/** One of a list of words. */
export function oneOf<const T extends string>(words: readonly T[], kind = "word") {
  return scalar({ title: "word", type: "string", enum: [...words] }, (value) => {
    const found = words.find((word) => word === value);
    if (found !== undefined) return found;
    const hint = typeof value === "string" ? didYouMean(value, words) : "";
    const list = words.length === 1 ? `the only ${kind} is ${words.join("")}` : `must be one of ${words.join(", ")}`;
    return refuse(`is ${shown(value)}; ${list}${hint}`);
  });
}

/** A whole number between two others, both included. */
export function integer(least: number, most: number) {
  return scalar({ title: "whole number", type: "integer", minimum: least, maximum: most }, (value) => {
    if (typeof value !== "number" || !Number.isInteger(value)) return refuse(`is ${shown(value)}, not a whole number`);
    return value >= least && value <= most
      ? value
      : refuse(`is ${shown(value)}, outside ${String(least)} to ${String(most)}`);
  });
}

/** RFC 3986's characters of a path and a query, beginning with a slash. */
const REQUEST_PATH = /^\/[A-Za-z0-9\-._~!$&'()*+,;=:@%/?]*$/;
const PATH_PREFIX = /^\/[A-Za-z0-9\-._~!$&'()*+,;=:@%/]*$/;

/** What a request asks for, with its query. */
export const requestPath = text({ title: "path", pattern: REQUEST_PATH.source }, (value) =>
  REQUEST_PATH.test(value)
    ? value
    : refuse(
        `is ${shown(value)}; a path begins with / and has no spaces, fragments or other characters that URLs do not have`,
      ),
);

/** A path prefix of whole segments; a slash at its end says nothing and is taken off. */
export const pathPrefix = text({ title: "path", pattern: PATH_PREFIX.source }, (value) => {
  if (!PATH_PREFIX.test(value))
    return refuse(`is ${shown(value)}; a path prefix begins with / and has no query, fragment or spaces`);
  const segments = value.replace(/\/+$/, "").split("/").slice(1);
  if (segments.some((segment) => segment === "" || segment === "." || segment === "..")) {
    return refuse(`is ${shown(value)}; a path prefix has no empty, . or .. segments`);
  }
  return `/${segments.join("/")}`;
});

/** RFC 1123, section 2.1, and the underscores that are met in practice. */
const HOST_NAME =
  /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

/** A host name as requests carry it, in lower case. */
export const hostName = text({ title: "host name" }, (value) => {
  const lower = value.toLowerCase();
  if (HOST_NAME.test(lower)) return lower;
  const hint = /^.+:[0-9]+$/.test(value)
    ? "without a port"
    : value.includes("*")
      ? "without wildcards"
      : "such as shop.example.com";
  return refuse(`is ${shown(value)}; write a host name ${hint}`);
});

/** What a shell runs, or a program and its arguments. References are refused beforehand; see misplaced.ts. */
export const command = scalar(
  {
    title: "command",
    anyOf: [
      { type: "string", minLength: 1 },
      { type: "array", items: { type: "string" }, minItems: 1 },
    ],
  },
  (value) => {
    if (typeof value === "string") return commandText(value);
    if (!Array.isArray(value)) return refuse(`must be text or a list of texts, not ${shown(value)}`);
    if (value.length === 0 || value[0] === "") return refuse("is empty");
    const words = value.filter((word): word is string => typeof word === "string");
    if (words.length < value.length) return refuse("must be a list of texts; put numbers and the like in quotes");
    return words.some((word) => word.includes("\0")) ? refuse("contains a NUL character") : words;
  },
);

/** A command that is one text. */
export const shellCommand = text({ title: "command" }, commandText);

function commandText(value: string): string | Refusal {
  if (value.trim() === "") return refuse("is empty");
  return value.includes("\0") ? refuse("contains a NUL character") : value;
}
