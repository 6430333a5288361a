/** Runs `act` on every item, at most `width` at a time; stops at the first error or when the signal aborts, and throws it. */
export async function forEachBounded<T>(
  items: readonly T[],
  width: number,
  signal: AbortSignal,
  act: (item: T) => Promise<void>,
): Promise<void> {
  const rest = items.values();
  let failed = false;
  const lane = async (): Promise<void> => {
    // All lanes draw from the one iterator, so each item is taken once.
    for (const item of rest) {
      if (failed) return;
      signal.throwIfAborted();
      try {
        await act(item);
      } catch (thrown) {
        failed = true;
        throw thrown;
      }
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: width }, lane));
  // Settled, so that nothing is still at work in the folder that the caller now removes.
  for (const result of lanes) if (result.status === "rejected") throw result.reason;
}
