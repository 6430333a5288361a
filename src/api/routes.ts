/** Every call of the API: what the server registers, the client calls and OpenAPI shows. Logs and events are streams. */
export const ROUTES = {
  status: { method: "GET", path: "/v1/status" },
  service: { method: "GET", path: "/v1/services/:service" },
  plan: { method: "POST", path: "/v1/services/:service/plans" },
  deploy: { method: "POST", path: "/v1/services/:service/deployments" },
  deployment: { method: "GET", path: "/v1/deployments/:deployment" },
  report: { method: "GET", path: "/v1/deployments/:deployment/report" },
  series: { method: "GET", path: "/v1/deployments/:deployment/series" },
  abort: { method: "POST", path: "/v1/deployments/:deployment/abort" },
  approve: { method: "POST", path: "/v1/deployments/:deployment/approve" },
  resume: { method: "POST", path: "/v1/deployments/:deployment/resume" },
  traffic: { method: "POST", path: "/v1/services/:service/traffic" },
  startEnvironment: { method: "POST", path: "/v1/services/:service/environments/:environment/start" },
  stopEnvironment: { method: "POST", path: "/v1/services/:service/environments/:environment/stop" },
  scaleEnvironment: { method: "POST", path: "/v1/services/:service/environments/:environment/scale" },
  retireEnvironment: { method: "POST", path: "/v1/services/:service/environments/:environment/retire" },
  switch: { method: "POST", path: "/v1/services/:service/switch" },
  rollback: { method: "POST", path: "/v1/services/:service/rollback" },
  maintenance: { method: "POST", path: "/v1/services/:service/maintenance" },
  tokens: { method: "GET", path: "/v1/tokens" },
  createToken: { method: "POST", path: "/v1/tokens" },
  revokeToken: { method: "POST", path: "/v1/tokens/:token/revoke" },
  history: { method: "GET", path: "/v1/services/:service/history" },
  /** `text/event-stream`; `follow=false` ends at the newest. */
  events: { method: "GET", path: "/v1/events" },
  /** `application/x-ndjson`, one log line an object. */
  logs: { method: "GET", path: "/v1/services/:service/logs" },
  openapi: { method: "GET", path: "/v1/openapi.json" },
  health: { method: "GET", path: "/healthz" },
  metrics: { method: "GET", path: "/metrics" },
} as const satisfies Record<string, { method: "GET" | "POST"; path: string }>;

export type RouteName = keyof typeof ROUTES;
