import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { disagreement } from "../../../../../test/http-fuzz/compare.ts";
import { borders, mutatedOf, split, validRequest, validResponse } from "../../../../../test/http-fuzz/generate.ts";
import { llhttpFraming } from "../../../../../test/http-fuzz/llhttp.ts";
import { ourFraming } from "../../../../../test/http-fuzz/ours.ts";

const runs = { numRuns: 3_000, interruptAfterTimeLimit: 2_500, markInterruptAsFailure: false };
const latin1 = (text: string): Buffer => Buffer.from(text, "latin1");

describe.each([
  ["request", validRequest],
  ["response", validResponse],
] as const)("a %s as strict llhttp frames it", (kind, valid) => {
  test("valid ones are accepted by both, and framed alike", () => {
    fc.assert(
      fc.property(valid, fc.boolean(), (text, mayBeToHead) => {
        const isToHead = mayBeToHead && kind === "response";
        const parts = [latin1(isToHead ? text.slice(0, text.indexOf("\r\n\r\n") + 4) : text)];
        const ours = ourFraming(kind, parts, isToHead);
        const theirs = llhttpFraming(kind, parts, isToHead);
        expect([ours.refusal, theirs.refusal]).toEqual([null, null]);
        expect(disagreement(ours, theirs)).toBeNull();
        expect(ours.frames.length).toBeGreaterThan(0);
      }),
      runs,
    );
  });

  test("mutated ones: what llhttp refuses we refuse, what we accept is framed alike", () => {
    fc.assert(
      fc.property(mutatedOf(valid), borders, (text, where) => {
        const bytes = latin1(text);
        expect(disagreement(ourFraming(kind, split(bytes, where)), llhttpFraming(kind, [bytes]))).toBeNull();
      }),
      runs,
    );
  });

  test("where the bytes are split makes no difference", () => {
    fc.assert(
      fc.property(mutatedOf(valid), borders, (text, where) => {
        const bytes = latin1(text);
        const { frames, refusal } = ourFraming(kind, split(bytes, where));
        const whole = ourFraming(kind, [bytes]);
        expect({ frames, refusal }).toEqual({ frames: whole.frames, refusal: whole.refusal });
      }),
      runs,
    );
  });
});
