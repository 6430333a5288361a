import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { disagreement } from "../../../../../test/http-fuzz/compare.ts";
import { split } from "../../../../../test/http-fuzz/generate.ts";
import { llhttpFraming } from "../../../../../test/http-fuzz/llhttp.ts";
import { ourFraming } from "../../../../../test/http-fuzz/ours.ts";
import { REJECT } from "./reject.ts";

interface Case {
  readonly name: string;
  readonly why: string;
  /** As latin1. */
  readonly bytes: string;
  /** Refused with this status, or else: the bodies of the requests that are accepted. */
  readonly status?: number;
  readonly bodies?: readonly string[];
}

const cases = JSON.parse(readFileSync(join(import.meta.dirname, "smuggling-corpus.json"), "utf8")) as Case[];
const statusOf = (reason: string | null): number | null =>
  Object.values(REJECT).find((reject) => reject.reason === reason)?.status ?? null;

describe("shapes of request smuggling", () => {
  test("there are enough of them, each with its own name", () => {
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
    expect(cases.length).toBeGreaterThan(150);
  });

  test.each(cases)("$name", ({ bytes, status, bodies }) => {
    const buffer = Buffer.from(bytes, "latin1");
    const whole = ourFraming("request", [buffer]);
    if (status !== undefined) expect([whole.refusal, statusOf(whole.refusal)]).toEqual([whole.refusal, status]);
    else
      expect({
        refusal: whole.refusal,
        bodies: whole.frames.filter((frame) => frame.isComplete).map(({ body }) => body),
      }).toEqual({
        refusal: null,
        bodies,
      });
    const { frames, refusal } = ourFraming("request", split(buffer, "each"));
    expect({ frames, refusal }).toEqual({ frames: whole.frames, refusal: whole.refusal });
    expect(disagreement(whole, llhttpFraming("request", [buffer]))).toBeNull();
  });
});
