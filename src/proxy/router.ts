/** What decides whether a service gets a request. */
export interface Route {
  readonly service: string;
  /** Lower case, without port; empty: any. */
  readonly hosts: readonly string[];
  readonly paths: readonly string[];
}

interface Prefix {
  readonly path: string;
  readonly service: string;
}

/** Finds the service of a request: routes that name the host win over those for any host, then the longest prefix. */
export class Router {
  readonly #byHost = new Map<string, Prefix[]>();
  readonly #anyHost: Prefix[] = [];

  constructor(routes: readonly Route[]) {
    for (const { service, hosts, paths } of routes) {
      const prefixes = paths.map((path) => ({ path: trimmed(path), service }));
      if (hosts.length === 0) this.#anyHost.push(...prefixes);
      for (const host of hosts) this.#byHost.set(host, [...(this.#byHost.get(host) ?? []), ...prefixes]);
    }
    for (const list of [this.#anyHost, ...this.#byHost.values()]) list.sort((a, b) => b.path.length - a.path.length);
  }

  get isEmpty(): boolean {
    return this.#anyHost.length === 0 && this.#byHost.size === 0;
  }

  /** `host` as in the Host field; `target` is the origin form, a query included. Null: no service matches. */
  match(host: string, target: string): string | null {
    const named = this.#byHost.size === 0 ? undefined : this.#byHost.get(hostName(host));
    return (named === undefined ? null : longest(named, target)) ?? longest(this.#anyHost, target);
  }
}

/** `/api/` and `/api` are the same prefix; `/` becomes the empty one. */
function trimmed(path: string): string {
  return path.endsWith("/") ? path.slice(0, -1) : path;
}

function longest(prefixes: readonly Prefix[], target: string): string | null {
  for (const { path, service } of prefixes) {
    if (!target.startsWith(path)) continue;
    const next = target.charCodeAt(path.length);
    if (path === "" || Number.isNaN(next) || next === SLASH || next === QUESTION_MARK) return service;
  }
  return null;
}

const SLASH = 0x2f;
const QUESTION_MARK = 0x3f;

function hostName(host: string): string {
  const end = host.startsWith("[") ? host.indexOf("]") + 1 : host.indexOf(":");
  const name = end > 0 ? host.slice(0, end) : host;
  return (name.endsWith(".") ? name.slice(0, -1) : name).toLowerCase();
}
