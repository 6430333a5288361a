import type { Finding } from "./rule.ts";

/** Two services may not claim the same path prefix of the same host: one of them would never get a request. */
export function overlaps(services: unknown): readonly Finding[] {
  const claims = new Map<string, string>();
  return Object.entries(services ?? {}).flatMap(([service, spec]) =>
    routesOf(spec).flatMap(({ host, path, index }) => {
      const key = `${host} ${path}`;
      const other = claims.get(key) ?? service;
      claims.set(key, other);
      return other === service
        ? []
        : [{ at: [service, "traffic", "paths", index], message: overlap(path, host, other) }];
    }),
  );
}

function overlap(path: string, host: string, other: string): string {
  return `${path} on ${host === "*" ? "every host" : host} is also a path of ${other}; give the services different hosts or paths`;
}

/** Routes of a decoded service; none of what is not sound, as its own problem is reported anyway. */
function routesOf(spec: unknown): { host: string; path: string; index: number }[] {
  const traffic = field(spec, "traffic");
  const hosts = texts(field(traffic, "hosts"));
  const paths = texts(field(traffic, "paths"));
  if (hosts === null || paths === null) return [];
  return (hosts.length === 0 ? ["*"] : hosts).flatMap((host) => paths.map((path, index) => ({ host, path, index })));
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

function texts(value: unknown): readonly string[] | null {
  return Array.isArray(value) && value.every((item) => typeof item === "string") ? value : null;
}
