// What each release gets wrong, by its version; anything else is a good one.
const GOOD = { errorEvery: 0, lagPerSecond: 0, products: ["tea", "milk"] };
const BAD = {
  // Every tenth database operation fails; the page falls back to what it knows, so no request fails.
  v3: { errorEvery: 10 },
  // It takes orders from the queue more slowly than they come.
  v4: { lagPerSecond: 20 },
  // A page without products: it answers well, and its users go away.
  v5: { products: [] },
};

export function behaviourOf(version) {
  return { ...GOOD, ...BAD[version] };
}
