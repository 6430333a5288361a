import type { ServiceSpec } from "./service.ts";

/** A whole, valid service for tests; each test changes what it is about. */
export const sampleSpec: ServiceSpec = {
  name: "web",
  release: { kind: "dir", dir: "/srv/app" },
  environment: {
    driver: "fleet",
    command: "node server.js",
    count: 2,
    env: { NODE_ENV: "production", DB_URL: { template: "${env:DB_URL}", hash: "ab".repeat(32) } },
    envFiles: [{ path: "/srv/prod.env", hash: "cd".repeat(32) }],
    stop: { signal: "SIGTERM", timeoutMs: 30_000 },
    user: null,
  },
  health: {
    path: "/health",
    status: 200,
    intervalMs: 1_000,
    timeoutMs: 500,
    healthyAfter: 2,
    unhealthyAfter: 3,
    deadlineMs: 60_000,
  },
  traffic: {
    driver: "balancer",
    hosts: [],
    paths: ["/"],
    drainMs: 30_000,
    longLivedMs: 300_000,
    onControllerLoss: "revert",
  },
  deploy: {
    validate: {
      endpoint: "/deployment/validate",
      smoke: ["./smoke.sh", "--all"],
      checks: [{ path: "/", status: 200, body: null, withinMs: 1_000 }],
      deadlineMs: 60_000,
    },
    approval: "none",
    shift: [{ weight: 10, forMs: 60_000 }],
    guardrails: {
      minRequests: 100,
      errorRate: { warn: 0.03, rollBack: 0.05 },
      latency: { p95: { warn: { ms: 1_000 }, rollBack: { factor: 2 } } },
    },
    bakeMs: 900_000,
    keepStandbyMs: 86_400_000,
    keepReleases: 5,
  },
  database: null,
  notify: [{ webhook: { template: "${file:/srv/hook.url}", hash: "ef".repeat(32) } }],
};
