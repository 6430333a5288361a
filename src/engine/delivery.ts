import { dora, windowBegin } from "../analysis/dora.ts";
import { type DeploymentState, isEnded } from "../model/deployment.ts";
import type { Dora } from "../model/dora.ts";
import { toTealError } from "../model/error.ts";
import type { Milliseconds } from "../model/time.ts";
import type { EngineParts } from "./parts.ts";

/** The window moves on also where nothing is deployed. */
const RENEW_MS: Milliseconds = 3_600_000;

/** How each service is delivered, kept ready for every status: worked out when a deployment ends, and each hour. */
export class Delivery {
  readonly #parts: EngineParts;
  readonly #stop: AbortSignal;
  readonly #known = new Map<string, Dora>();

  constructor(parts: EngineParts, stop: AbortSignal) {
    this.#parts = parts;
    this.#stop = stop;
  }

  /** Null: nothing was deployed yet, or it is not worked out yet, right after the server's start. */
  of(service: string): Dora | null {
    return this.#known.get(service) ?? null;
  }

  listen(): void {
    this.#parts.hub.subscribe(
      "event",
      ({ type, service, data }) => {
        if (type !== "deployment-state" || service === null) return;
        if (isEnded(data["to"] as DeploymentState)) void this.#renew(service);
      },
      this.#stop,
    );
  }

  /** Works out every service, one after another so that the store is free for others in between; then again each hour. */
  async keep(): Promise<void> {
    const { store, clock } = this.#parts;
    while (!this.#stop.aborted) {
      const services = await store.services().catch((thrown: unknown) => {
        this.#report(thrown, {});
        return [];
      });
      for (const { service } of services) if (!this.#stop.aborted) await this.#renew(service);
      await clock.sleep(RENEW_MS, this.#stop).catch(() => undefined);
    }
  }

  async #renew(service: string): Promise<void> {
    const { store, clock } = this.#parts;
    try {
      const now = clock.now();
      const found = dora(await store.changes(service, windowBegin(now)), now);
      if (found !== null) this.#known.set(service, found);
    } catch (thrown) {
      this.#report(thrown, { service });
    }
  }

  #report(thrown: unknown, about: Readonly<Record<string, unknown>>): void {
    if (!this.#stop.aborted) this.#parts.report(toTealError(thrown), { ...about, doing: "working out its delivery" });
  }
}
