import type { ServiceTable } from "../wire/proxy.ts";
import { PROCESS_CELL } from "./cells.ts";
import type { PublishedRoutes, RoutesChange } from "./messages.ts";
import type { Route } from "./router.ts";

/** Which hosts and paths belong to which service; changes are published before they are live, as tables are. */
export class RouteBook {
  readonly #cell: Int32Array<SharedArrayBuffer>;
  readonly #live = new Map<string, Route>();
  #version = 0;

  constructor(cell: Int32Array<SharedArrayBuffer>) {
    this.#cell = cell;
  }

  get live(): PublishedRoutes {
    return { version: this.#version, routes: [...this.#live.values()] };
  }

  /** What these tables change of the live routes; null: nothing. */
  next(tables: readonly ServiceTable[]): RoutesChange | null {
    const changed = tables.map(routeOf).filter((route) => !isSame(route, this.#live.get(route.service)));
    return changed.length === 0 ? null : { version: this.#version + 1, changed };
  }

  goLive(change: RoutesChange | null): void {
    if (change === null) return;
    for (const route of change.changed) this.#live.set(route.service, route);
    this.#version = change.version;
    Atomics.store(this.#cell, PROCESS_CELL.routes, change.version);
  }
}

function routeOf({ service, traffic: { hosts, paths } }: ServiceTable): Route {
  return { service, hosts, paths };
}

function isSame(a: Route, b: Route | undefined): boolean {
  return b !== undefined && JSON.stringify([a.hosts, a.paths]) === JSON.stringify([b.hosts, b.paths]);
}
