import { TealError } from "../model/error.ts";
import type { LogLine } from "../ports/environment.ts";
import type { Control } from "./control.ts";
import { driverOf, type EngineParts } from "./parts.ts";
import { survey } from "./survey.ts";

/**
 * Log lines of one environment, or of all. Not following: oldest first; following: as they come. An environment whose
 * release has failed or was retired has none any more, but its last words are still wanted: they are read through the
 * driver of the service's newest release.
 */
export async function* logsOf(
  parts: EngineParts,
  service: string,
  { environment, lines, follow, signal }: Parameters<Control["logs"]>[1],
): AsyncGenerator<LogLine, void, void> {
  const seen = await survey(parts, service, signal);
  const names = seen.environments.map(({ name }) => name);
  if (environment !== null && !names.includes(environment)) {
    throw new TealError(
      "environment-unknown",
      `${service} has no environment ${environment}; it has ${names.join(", ")}`,
    );
  }
  const newest = (await parts.store.releases(service))[0] ?? null;
  const sources = seen.environments
    .filter(({ name }) => environment === null || name === environment)
    .flatMap(({ name, release }) => {
      const last = release ?? newest;
      // Nothing has ever run.
      if (last === null) return [];
      const driver = driverOf(parts.environments, last.spec.environment.driver);
      return [driver.logs(service, name, { lines, follow, signal })];
    });
  if (follow) {
    yield* interleaved(sources);
    return;
  }
  const all: LogLine[] = [];
  for (const source of sources) for await (const line of source) all.push(line);
  yield* all.toSorted((a, b) => a.at - b.at).slice(-lines);
}

/** Items of several sources, each as soon as it comes. */
async function* interleaved<T>(sources: readonly AsyncIterable<T>[]): AsyncGenerator<T, void, void> {
  const iterators = sources.map((source) => source[Symbol.asyncIterator]());
  const pull = async (index: number): Promise<{ index: number; item: IteratorResult<T, unknown> }> => {
    const item = await iterators[index]?.next();
    return { index, item: item ?? { done: true, value: undefined } };
  };
  const pending = new Map(iterators.map((_, index) => [index, pull(index)]));
  try {
    while (pending.size > 0) {
      const { index, item } = await Promise.race(pending.values());
      if (item.done === true) {
        pending.delete(index);
      } else {
        pending.set(index, pull(index));
        yield item.value;
      }
    }
  } finally {
    for (const iterator of iterators) await iterator.return?.(undefined);
  }
}
