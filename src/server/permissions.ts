import { type RouteName, ROUTES } from "../api/routes.ts";
import type { Permission } from "../model/token.ts";

/** What each call needs over TCP; null: not even a token. */
export const PERMISSIONS = {
  status: "read",
  service: "read",
  plan: "read",
  deployment: "read",
  series: "read",
  report: "read",
  history: "read",
  events: "read",
  logs: "read",
  openapi: "read",
  metrics: "read",
  health: null,
  deploy: "deploy",
  resume: "deploy",
  traffic: "deploy",
  startEnvironment: "deploy",
  stopEnvironment: "deploy",
  scaleEnvironment: "deploy",
  retireEnvironment: "deploy",
  switch: "deploy",
  rollback: "deploy",
  maintenance: "deploy",
  approve: "approve",
  abort: "abort",
  tokens: "administer",
  createToken: "administer",
  revokeToken: "administer",
} as const satisfies Record<RouteName, Permission | null>;

/** Calls that answer with what the token covers alone, and so need none that covers everything. */
export const FILTERED: ReadonlySet<RouteName> = new Set(["status", "events", "openapi"]);

const NAMES = new Map(
  (Object.keys(ROUTES) as RouteName[]).map((name) => [`${ROUTES[name].method} ${ROUTES[name].path}`, name]),
);

/** The call behind a route of Fastify's; null where there is none. */
export function routeOf(method: string, path: string | undefined): RouteName | null {
  return NAMES.get(`${method} ${path ?? ""}`) ?? null;
}
