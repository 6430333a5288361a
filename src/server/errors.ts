import { problem as problemShape } from "../api/answers.ts";
import { CATALOGUE, type ErrorCode } from "../model/catalogue.ts";

/** Codes that any call can answer with. */
const ALWAYS: readonly ErrorCode[] = [
  "request-invalid",
  "unauthorized",
  "forbidden",
  "too-many-attempts",
  "internal",
  "store-failed",
];

/**
 * For OpenAPI: the error answers of a call, by status, each naming its codes. They are sent as text, past the
 * serializers, so for the types a call has its good answer alone.
 */
export function errors(...codes: readonly ErrorCode[]): object {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of [...codes, ...ALWAYS]) {
    const { status } = CATALOGUE[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const answers = [...byStatus].map(([status, found]) => [
    status,
    {
      description: found.map((code) => `\`${code}\`: ${CATALOGUE[code].title}`).join(". "),
      content: { "application/problem+json": { schema: problemShape } },
    },
  ]);
  return Object.fromEntries(answers) as object;
}
