/** `1.2.3-rc.1-0a1b2c3d` as in VERSION.json: the package's version, and the first digits of the bundles' digest. */
const RUNTIME = /^(?<version>.+)-[0-9a-f]{8}$/;

/** The package's version in the name of a runtime; the whole name when it is none of ours. */
export function packageVersionOf(runtime: string): string {
  return RUNTIME.exec(runtime)?.groups?.["version"] ?? runtime;
}

/** Below 0 when `a` is the older, above when the newer, 0 when neither: precedence of Semantic Versioning 2.0.0, section 11. */
export function compareVersions(a: string, b: string): number {
  const [coreA, preA] = partsOf(a);
  const [coreB, preB] = partsOf(b);
  const byCore = compareLists(coreA, coreB);
  if (byCore !== 0) return byCore;
  // A version without a pre-release is above all of its pre-releases.
  if (preA.length === 0 || preB.length === 0) return preB.length - preA.length;
  return compareLists(preA, preB);
}

function partsOf(version: string): [core: readonly string[], pre: readonly string[]] {
  const [plain = ""] = version.split("+");
  const dash = plain.indexOf("-");
  return dash < 0 ? [plain.split("."), []] : [plain.slice(0, dash).split("."), plain.slice(dash + 1).split(".")];
}

/** Numbers by value and below words; words by their characters; the longer list is above its beginning. */
function compareLists(a: readonly string[], b: readonly string[]): number {
  for (let index = 0; index < Math.min(a.length, b.length); index += 1) {
    const order = compareIdentifiers(a[index] ?? "", b[index] ?? "");
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareIdentifiers(a: string, b: string): number {
  const [isNumberA, isNumberB] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (isNumberA && isNumberB) return Number(a) - Number(b);
  if (isNumberA !== isNumberB) return isNumberA ? -1 : 1;
  return a === b ? 0 : a < b ? -1 : 1;
}
