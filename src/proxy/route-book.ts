import type { ServiceTable } from "../wire/proxy.ts";
import { PROCESS_CELL } from "./cells.ts";
import type { PublishedRoutes } from "./messages.ts";

/** Which hosts and paths belong to which service; changes are published before they are live, as tables are. */
export class RouteBook {
  readonly #cell: Int32Array<SharedArrayBuffer>;
  #live: PublishedRoutes = { version: 0, routes: [] };

  constructor(cell: Int32Array<SharedArrayBuffer>) {
    this.#cell = cell;
  }

  get live(): PublishedRoutes {
    return this.#live;
  }

  /** The routes of these tables; null when they are the live ones. */
  next(tables: readonly ServiceTable[]): PublishedRoutes | null {
    const routes = tables
      .map(({ service, traffic }) => ({ service, hosts: traffic.hosts, paths: traffic.paths }))
      .toSorted((a, b) => (a.service < b.service ? -1 : 1));
    if (JSON.stringify(routes) === JSON.stringify(this.#live.routes)) return null;
    return { version: this.#live.version + 1, routes };
  }

  goLive(routes: PublishedRoutes | null): void {
    if (routes === null) return;
    this.#live = routes;
    Atomics.store(this.#cell, PROCESS_CELL.routes, routes.version);
  }
}
