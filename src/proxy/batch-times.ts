import type { Milliseconds, Random } from "../model/time.ts";

const BATCH_EVERY_MS: Milliseconds = 250;

/** When each batch of a spread is closed: one at a random instant of each quarter of a second, so that clients of two proxies do not keep step. */
export function batchTimes(spreadMs: Milliseconds, random: Random): readonly Milliseconds[] {
  const count = Math.max(1, Math.ceil(spreadMs / BATCH_EVERY_MS));
  const slotMs = spreadMs / count;
  return Array.from({ length: count }, (_, i) => (i + random()) * slotMs);
}
