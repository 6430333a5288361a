import fc from "fast-check";
import { disagreement } from "../test/http-fuzz/compare.ts";
import { wrongForward } from "../test/http-fuzz/forward.ts";
import type { MessageKind } from "../test/http-fuzz/frame.ts";
import { borders, mutatedOf, split, validRequest, validResponse } from "../test/http-fuzz/generate.ts";
import { llhttpFraming } from "../test/http-fuzz/llhttp.ts";
import { ourFraming } from "../test/http-fuzz/ours.ts";
import { benchOptions } from "./lib/options.ts";

/**
 * The proxy's parser against strict llhttp, for as long as it is let: generated and mutated messages, split at random
 * byte borders, and what goes on of them.
 * - cases: messages tried. accepted: those of which we accepted at least one head.
 * - disagreements: accepted by us and refused or framed otherwise by llhttp, dependent on the splits, or ambiguous when
 *   passed on. Each is printed.
 */
const { quick } = benchOptions();
const RUN_MS = quick ? 20_000 : 600_000;
const BATCH = 2_000;

let cases = 0;
let accepted = 0;
let disagreements = 0;

function judge(kind: MessageKind, text: string, where: readonly number[] | "each"): string | null {
  const bytes = Buffer.from(text, "latin1");
  const whole = ourFraming(kind, [bytes]);
  const parted = ourFraming(kind, split(bytes, where));
  cases += 1;
  if (whole.frames.length > 0) accepted += 1;
  const outcome = ({ frames, refusal }: typeof whole): string => JSON.stringify([frames, refusal]);
  if (outcome(whole) !== outcome(parted)) return "depends on the splits";
  return disagreement(whole, llhttpFraming(kind, [bytes])) ?? wrongForward(kind, bytes, where.length % 2 === 0);
}

const until = performance.now() + RUN_MS;
const first = Date.now();
for (let round = 0; performance.now() < until; round += 1) {
  for (const [kind, valid] of [
    ["request", validRequest],
    ["response", validResponse],
  ] as const) {
    const message = fc.oneof({ weight: 1, arbitrary: valid }, { weight: 4, arbitrary: mutatedOf(valid) });
    for (const [text, where] of fc.sample(fc.tuple(message, borders), { numRuns: BATCH, seed: first + round })) {
      const wrong = judge(kind, text, where);
      if (wrong === null) continue;
      disagreements += 1;
      console.log(JSON.stringify({ kind, text, where, wrong }));
    }
  }
}
console.log(JSON.stringify({ bench: "fuzz", cases, accepted, disagreements }));
if (disagreements > 0) process.exitCode = 1;
