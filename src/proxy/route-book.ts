import type { ServiceTable } from "../wire/proxy.ts";
import { PROCESS_CELL } from "./cells.ts";
import type { PublishedRoutes } from "./messages.ts";
import type { Route } from "./router.ts";

/** Which hosts and paths belong to which service; changes are published before they are live, as tables are. */
export class RouteBook {
  readonly #cell: Int32Array<SharedArrayBuffer>;
  #live: PublishedRoutes = { version: 0, routes: [] };
  readonly #byService = new Map<string, Route>();

  constructor(cell: Int32Array<SharedArrayBuffer>) {
    this.#cell = cell;
  }

  get live(): PublishedRoutes {
    return this.#live;
  }

  /** The live routes with those of these tables; null when that changes nothing. */
  next(tables: readonly ServiceTable[]): PublishedRoutes | null {
    const changed = tables.map(routeOf).filter((route) => !isSame(route, this.#byService.get(route.service)));
    if (changed.length === 0) return null;
    const names = new Set(changed.map(({ service }) => service));
    const routes = [...this.#live.routes.filter(({ service }) => !names.has(service)), ...changed];
    return { version: this.#live.version + 1, routes: routes.toSorted((a, b) => (a.service < b.service ? -1 : 1)) };
  }

  goLive(routes: PublishedRoutes | null): void {
    if (routes === null) return;
    this.#live = routes;
    for (const route of routes.routes) this.#byService.set(route.service, route);
    Atomics.store(this.#cell, PROCESS_CELL.routes, routes.version);
  }
}

function routeOf({ service, traffic: { hosts, paths } }: ServiceTable): Route {
  return { service, hosts, paths };
}

function isSame(a: Route, b: Route | undefined): boolean {
  return b !== undefined && JSON.stringify([a.hosts, a.paths]) === JSON.stringify([b.hosts, b.paths]);
}
