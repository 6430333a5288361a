/**
 * What each release does wrong. Teal starts the app with TEAL_VERSION; a version that is not named here is a good one.
 * In real life these would be bugs in the code of the release.
 */
const GOOD = {
  /** How long an answer takes, in milliseconds. */
  latencyMs: 10,
  /** Every n-th request is answered with 500; 0: none. */
  failEvery: 0,
  /** Whether GET /health says 200. */
  healthy: true,
  /** Ends by itself after this many milliseconds; 0: never. */
  crashAfterMs: 0,
  /** Whether an order's receipt is right, which only the smoke test looks at. */
  rightReceipts: true,
};

const BAD = {
  v3: { failEvery: 5 },
  v4: { latencyMs: 40 },
  v5: { healthy: false },
  v6: { crashAfterMs: 5_000 },
  v7: { rightReceipts: false },
};

export function behaviourOf(version) {
  return { ...GOOD, ...BAD[version] };
}
