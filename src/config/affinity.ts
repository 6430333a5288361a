import type { AffinitySpec } from "../model/service.ts";
import { refuse, type Refusal, scalar, shown } from "./decode.ts";
import { didYouMean } from "./nearest.ts";

/** RFC 9110, 5.6.2: a token; names of fields (5.1) and of cookies (RFC 6265, 4.1.1) are such. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128}$/;
const KINDS = ["cookie", "header"] as const;
const FORM = "write none, clientAddress, { cookie: NAME } or { header: NAME }";

const named = (kind: (typeof KINDS)[number]) => ({
  type: "object",
  properties: { [kind]: { type: "string", pattern: TOKEN.source } },
  required: [kind],
  additionalProperties: false,
});

/** `traffic.affinity`; null: none. */
export const affinity = scalar(
  {
    title: "`none`, `clientAddress`, `{ cookie: NAME }` or `{ header: NAME }`",
    anyOf: [{ enum: ["none", "clientAddress"] }, ...KINDS.map(named)],
  },
  (value): AffinitySpec | null | Refusal => {
    if (value === "none") return null;
    if (value === "clientAddress") return value;
    if (typeof value === "object" && !Array.isArray(value)) return ofMap(Object.entries(value ?? {}));
    const hint = typeof value === "string" ? didYouMean(value, ["none", "clientAddress"]) : "";
    return refuse(`is ${shown(value)}; ${FORM}${hint}`);
  },
);

function ofMap(entries: readonly (readonly [string, unknown])[]): AffinitySpec | Refusal {
  const [entry, ...more] = entries;
  const kind = KINDS.find((known) => known === entry?.[0]);
  if (entry === undefined || kind === undefined || more.length > 0) {
    const unknown = entries.map(([key]) => key).find((key) => !KINDS.some((known) => known === key));
    const what = unknown === undefined ? "is not a map of one key" : `has the unknown key ${unknown}`;
    return refuse(`${what}; ${FORM}${unknown === undefined ? "" : didYouMean(unknown, KINDS)}`);
  }
  const [, name] = entry;
  if (typeof name !== "string" || !TOKEN.test(name))
    return refuse(`${kind} is ${shown(name)}, not a name such as session`);
  return kind === "cookie" ? { cookie: name } : { header: name.toLowerCase() };
}
