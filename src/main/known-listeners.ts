import { type Report, toTealError } from "../model/error.ts";
import type { Milliseconds } from "../model/time.ts";

interface Listener {
  readonly listen: string;
  readonly address: string;
}

/** A status must not wait for a keeper that is being restarted. */
const ANSWER_MS: Milliseconds = 1_000;

/** Where the proxy listens, as the keeper says; while it does not answer in time, as it last said. */
export function knownListeners(
  ask: (options: { readonly timeoutMs: Milliseconds }) => Promise<{ readonly listeners: readonly Listener[] }>,
  report: Report,
): () => Promise<readonly Listener[]> {
  let known: readonly Listener[] = [];
  return async () => {
    try {
      known = (await ask({ timeoutMs: ANSWER_MS })).listeners;
    } catch (thrown) {
      report(toTealError(thrown), { doing: "status" });
    }
    return known;
  };
}
