import type { Peer } from "../wire/peer.ts";
import type { ProxyProtocol } from "../wire/proxy.ts";
import { type Observation, toldOf } from "./observation.ts";

type Follower = Pick<Peer<ProxyProtocol>, "notify" | "closed">;

/** Tells each connection of the services that it follows, whenever one of them may be no more what was told last. */
export class Followers {
  readonly #observe: (service: string) => Observation;
  readonly #services = new Map<Follower, Set<string>>();
  readonly #changed = new Set<string>();

  constructor(observe: (service: string) => Observation) {
    this.#observe = observe;
  }

  /** Tells it how the service is now, unless it follows that already. */
  follow(service: string, follower: Follower): void {
    const services = this.#services.get(follower) ?? this.#begin(follower);
    if (services.has(service)) return;
    services.add(service);
    follower.notify("observed", { service, observation: toldOf(this.#observe(service)) });
  }

  /** All that changes in one turn of the event loop is told at its end, once for each service. */
  changed(service: string): void {
    if (this.#services.size === 0) return;
    if (this.#changed.size === 0)
      setImmediate(() => {
        this.tell();
      });
    this.#changed.add(service);
  }

  /** Tells now. To be called before the answer of whatever call may have changed something. */
  tell(): void {
    for (const service of this.#changed) {
      const followers = [...this.#services].filter(([, services]) => services.has(service));
      if (followers.length === 0) continue;
      const observation = toldOf(this.#observe(service));
      for (const [follower] of followers) follower.notify("observed", { service, observation });
    }
    this.#changed.clear();
  }

  #begin(follower: Follower): Set<string> {
    const services = new Set<string>();
    this.#services.set(follower, services);
    void follower.closed.then(() => this.#services.delete(follower));
    return services;
  }
}
