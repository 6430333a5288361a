import { TealError } from "../model/error.ts";
import type { Release } from "../model/release.ts";
import type { ServiceSpec } from "../model/service.ts";
import { sameConfiguration } from "../plan/configuration-diff.ts";
import type { EngineParts } from "./parts.ts";

/**
 * The release that a deploy of `version` means now: the stored one when its files and its configuration are the same,
 * else a new one, `v2`, then `v2+1`. Nothing is written.
 * @throws `release-source`, `unsupported`
 */
export async function freeze(
  parts: EngineParts,
  spec: ServiceSpec,
  version: string,
  signal: AbortSignal,
): Promise<{ release: Release; isNew: boolean }> {
  throwIfUnsupported(spec);
  const digest = await parts.releases.digest(version, spec.release, signal);
  const stored = (await parts.store.releases(spec.name)).filter((release) => release.version === version);
  const same = stored.find((release) => release.digest === digest && sameConfiguration(release.spec, spec));
  if (same !== undefined) return { release: same, isNew: false };
  const id = freeId(version, new Set(stored.map((release) => release.id)));
  const { name: service } = spec;
  const directory = spec.release.kind === "none" ? spec.release.dir : parts.releases.folder(service, id);
  const committedAt = await parts.releases.committedAt(version, spec.release, signal);
  const release = { id, service, version, digest, directory, spec, createdAt: parts.clock.now() };
  return { release: committedAt === null ? release : { ...release, committedAt }, isNew: true };
}

function freeId(version: string, taken: ReadonlySet<string>): string {
  if (!taken.has(version)) return version;
  for (let n = 1; ; n += 1) {
    const id = `${version}+${String(n)}`;
    if (!taken.has(id)) return id;
  }
}

/** Settings that are understood but not acted on must not be passed over in silence. */
function throwIfUnsupported({ name, database }: ServiceSpec): void {
  if (database !== null && (database.expand !== null || database.contract !== null)) {
    throw new TealError(
      "unsupported",
      `${name}: database.expand and database.contract are set, and this version of Teal runs no migrations`,
    );
  }
}
