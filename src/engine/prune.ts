import type { Release } from "../model/release.ts";
import type { EngineParts } from "./parts.ts";

/**
 * Removes what is neither in an environment (active, standby, or a rollback's target) nor wanted by an unfinished
 * deployment, beyond the newest `keep`. Record first, then folder: a folder without a record is removed the next time.
 */
export async function pruneReleases(parts: EngineParts, service: string, keep: number): Promise<void> {
  const { store, journal, releases } = parts;
  const all = await store.releases(service);
  const used = await releasesInUse(parts, service);
  const spare = all.filter(({ id }) => !used.has(id)).slice(keep);
  for (const { id } of spare) {
    journal.told(
      await store.removeRelease(service, id, [journal.event("release-pruned", { release: id }, { service })]),
    );
  }
  const known = new Set(all.map(({ id }) => id));
  const gone = new Set(spare.map(({ id }) => id));
  for (const id of await releases.list(service)) {
    if (gone.has(id) || !known.has(id)) await releases.remove(service, id);
  }
}

async function releasesInUse(parts: EngineParts, service: string): Promise<ReadonlySet<string>> {
  const { store } = parts;
  const environments = await store.environments(service);
  const target = await previousRelease(parts, service, await activeRelease(parts, service));
  const unfinished = await store.unfinished(service);
  return new Set(
    [
      ...environments.map(({ release }) => release),
      ...unfinished.map(({ release }) => release),
      target?.id ?? null,
    ].filter((id) => id !== null),
  );
}

async function activeRelease({ store }: EngineParts, service: string): Promise<string | null> {
  const row = await store.service(service);
  return (await store.environments(service)).find(({ name }) => name === row?.active)?.release ?? null;
}

/** How far back the release before is looked for; it is among the first as a rule. */
const LOOKS = [20, 200];

/** The newest stored release that was active before and is in no environment now; what a rollback starts again. */
export async function previousRelease(
  { store, releases }: EngineParts,
  service: string,
  active: string | null,
): Promise<Release | null> {
  let looked = 0;
  for (const most of LOOKS) {
    const history = await store.history(service, most);
    for (const deployment of history.slice(looked)) {
      if (deployment.state !== "completed" || deployment.goal === "retire") continue;
      if (deployment.release === null || deployment.release === active) continue;
      const release = await store.release(service, deployment.release);
      if (release !== null && ((await releases.exists(service, release.id)) || release.spec.release.kind === "none"))
        return release;
    }
    if (history.length < most) break;
    looked = history.length;
  }
  return null;
}
