import type { InstanceReport } from "../../../wire/keeper.ts";

/** What the keeper has told of its instances, by environment. */
export class ToldInstances {
  readonly #environments = new Map<string, Map<string, InstanceReport>>();
  /** Whether nothing that this keeper has is missing. */
  isComplete = false;

  note(report: InstanceReport): void {
    const key = keyOf(report.service, report.environment);
    const known = this.#environments.get(key) ?? new Map<string, InstanceReport>();
    if (report.state === "stopped") known.delete(report.id);
    else known.set(report.id, report);
    if (known.size === 0) this.#environments.delete(key);
    else this.#environments.set(key, known);
  }

  of(service: string, environment: string): readonly InstanceReport[] {
    return [...(this.#environments.get(keyOf(service, environment))?.values() ?? [])];
  }

  all(): readonly InstanceReport[] {
    return [...this.#environments.values()].flatMap((known) => [...known.values()]);
  }
}

/** Names hold no blanks. */
function keyOf(service: string, environment: string): string {
  return `${service} ${environment}`;
}
