import { z } from "zod";
import * as answers from "../api/answers.ts";
import { report, reportQuery } from "../api/report-answer.ts";
import * as requests from "../api/requests.ts";
import type { RouteName } from "../api/routes.ts";
import { errors } from "./errors.ts";

/** Headers of a call that begins something. Names are lower case, as Node gives them. */
const repeatable = z.object({
  "idempotency-key": z
    .string()
    .min(1)
    .max(255)
    .optional()
    .meta({ description: "Repeating a call under the same key answers with the first one's deployment" }),
});
const lastEventId = z.object({
  "last-event-id": z
    .string()
    .regex(/^\d{1,15}$/, "the number of an event")
    .optional()
    .meta({ description: "Number of the last event seen; wins over `after`. Browsers send it by themselves" }),
});

const text = (
  type: string,
  schema: z.ZodType,
): { description: string; content: Record<string, { schema: z.ZodType }> } => ({
  description: "A stream",
  content: { [type]: { schema } },
});

/** What more than one call is refused for: a code that joins such a list is told of in each of them. */
const CONFIGURATION = ["config-invalid", "secret-missing", "release-source"] as const;
const UNDER_WAY = ["deployment-unknown", "deployment-ended"] as const;
const SPLIT = ["service-unknown", "environment-unknown", "no-release"] as const;
const LIVE_SPLIT = ["unhealthy", "deployment-running", "data-plane-down"] as const;
const ENVIRONMENT = [
  "service-unknown",
  "environment-unknown",
  "deployment-running",
  "rollback-target",
  "data-plane-down",
  "keeper-down",
] as const;
const STARTS = ["no-release", "not-healthy"] as const;

/** What each call takes and answers: checked on the way in and out, and shown as OpenAPI. */
export const OPERATIONS = {
  status: {
    operationId: "status",
    summary: "All services: which environment is active, the traffic, what is under way",
    response: { 200: answers.status, ...errors("data-plane-down", "keeper-down") },
  },
  service: {
    operationId: "service",
    summary: "One service as in the status",
    params: requests.serviceParams,
    response: { 200: answers.serviceStatus, ...errors("service-unknown", "data-plane-down", "keeper-down") },
  },
  plan: {
    operationId: "plan",
    summary: "The plan that the same request would run now; changes nothing",
    params: requests.serviceParams,
    body: requests.planRequest,
    response: {
      200: answers.plan,
      ...errors(
        ...CONFIGURATION,
        ...SPLIT,
        "already-active",
        "nothing-to-roll-back-to",
        "still-has-traffic",
        "rollback-target",
      ),
    },
  },
  deploy: {
    operationId: "deploy",
    summary: "Begin a deployment; it runs on by itself",
    params: requests.serviceParams,
    headers: repeatable,
    body: requests.deploymentRequest,
    response: {
      202: answers.accepted,
      ...errors(...CONFIGURATION, "service-unknown", "deployment-running"),
    },
  },
  deployment: {
    operationId: "deployment",
    summary: "One deployment with its steps and receipts",
    params: requests.deploymentParams,
    response: { 200: answers.deployment, ...errors("deployment-unknown") },
  },
  report: {
    operationId: "report",
    summary: "What became of a deployment, as JSON, Markdown, or an HTML page with pictures",
    params: requests.deploymentParams,
    querystring: reportQuery,
    response: {
      200: {
        description: "The report",
        content: {
          "application/json": { schema: report },
          "text/markdown": { schema: z.string() },
          "text/html": { schema: z.string() },
        },
      },
      ...errors("deployment-unknown"),
    },
  },
  series: {
    operationId: "series",
    summary: "The traffic of a deployment from its first shift to its end, second by second, as far as it is kept",
    params: requests.deploymentParams,
    response: { 200: answers.series, ...errors("deployment-unknown") },
  },
  abort: {
    operationId: "abort",
    summary: "Give the traffic back and end the deployment; the traffic is back when this answers",
    params: requests.deploymentParams,
    body: requests.abortRequest,
    response: { 200: answers.deployment, ...errors(...UNDER_WAY, "data-plane-down") },
  },
  approve: {
    operationId: "approve",
    summary: "Let a deployment pass its gate, now or when it gets there; the first approval counts",
    params: requests.deploymentParams,
    body: requests.approveRequest,
    response: { 200: answers.approved, ...errors(...UNDER_WAY, "nothing-to-approve") },
  },
  resume: {
    operationId: "resume",
    summary: "Let a deployment that holds go on; a frozen one tries to go back at once",
    params: requests.deploymentParams,
    body: requests.resumeRequest,
    response: {
      200: answers.deployment,
      ...errors(...UNDER_WAY, "nothing-to-resume", "drift", "unhealthy"),
    },
  },
  traffic: {
    operationId: "traffic",
    summary: "Set the split by hand; answers when the data plane has it",
    params: requests.serviceParams,
    body: requests.trafficRequest,
    response: {
      200: answers.trafficSet,
      ...errors(...SPLIT, ...LIVE_SPLIT, "fenced"),
    },
  },
  startEnvironment: {
    operationId: "startEnvironment",
    summary: "Start a stopped environment; answers when it is healthy",
    params: requests.environmentParams,
    body: requests.environmentRequest,
    response: {
      200: answers.environmentChanged,
      ...errors(...ENVIRONMENT, ...STARTS, "release-missing"),
    },
  },
  stopEnvironment: {
    operationId: "stopEnvironment",
    summary: "Stop an environment without traffic; it stays stopped until it is started or deployed to",
    params: requests.environmentParams,
    body: requests.environmentRequest,
    response: {
      200: answers.environmentChanged,
      ...errors(...ENVIRONMENT, "still-has-traffic"),
    },
  },
  scaleEnvironment: {
    operationId: "scaleEnvironment",
    summary: "Another number of instances, until the next deploy; fewer only without traffic",
    params: requests.environmentParams,
    body: requests.scaleRequest,
    response: {
      200: answers.environmentChanged,
      ...errors(...ENVIRONMENT, ...STARTS, "still-has-traffic"),
    },
  },
  retireEnvironment: {
    operationId: "retireEnvironment",
    summary: "Begin to retire an environment without traffic; its deployment runs on by itself",
    params: requests.environmentParams,
    body: requests.environmentRequest,
    response: {
      200: answers.environmentChanged,
      ...errors(...ENVIRONMENT, "still-has-traffic"),
    },
  },
  switch: {
    operationId: "switch",
    summary: "Give all traffic to an environment that is ready; answers when the data plane has applied it",
    params: requests.serviceParams,
    headers: repeatable,
    body: requests.switchRequest,
    response: {
      200: answers.switched,
      ...errors(...SPLIT, ...LIVE_SPLIT, "already-active", "drift"),
    },
  },
  rollback: {
    operationId: "rollback",
    summary: "Go back to the release before; during a deployment, its abort",
    params: requests.serviceParams,
    headers: repeatable,
    body: requests.rollbackRequest,
    response: {
      200: answers.switched,
      ...errors("service-unknown", "nothing-to-roll-back-to", "unhealthy", "drift", "data-plane-down"),
    },
  },
  maintenance: {
    operationId: "maintenance",
    summary: "Answer a service's requests with a page, let them wait, or neither; answers when the proxy does so",
    params: requests.serviceParams,
    body: requests.maintenanceRequest,
    response: {
      200: answers.maintenance,
      ...errors("service-unknown", "no-release", "unsupported", "data-plane-down"),
    },
  },
  tokens: {
    operationId: "tokens",
    summary: "The tokens that open the API over TCP, oldest first; for admins",
    response: { 200: answers.tokens, ...errors() },
  },
  createToken: {
    operationId: "createToken",
    summary: "Make a token; its secret is in this answer alone; for admins",
    body: requests.tokenRequest,
    response: { 200: answers.tokenCreated, ...errors("token-exists") },
  },
  revokeToken: {
    operationId: "revokeToken",
    summary: "Take a token away, at once; for admins",
    params: requests.tokenParams,
    body: requests.revokeRequest,
    response: { 200: answers.tokenRevoked, ...errors("token-unknown") },
  },
  history: {
    operationId: "history",
    summary: "Deployments of a service, newest first",
    params: requests.serviceParams,
    querystring: requests.historyQuery,
    response: { 200: answers.history, ...errors("service-unknown") },
  },
  events: {
    operationId: "events",
    summary:
      "Events as they come, as server-sent events. Without `after`: from now on, or with `follow=false` from the first one kept to the newest",
    querystring: requests.eventsQuery,
    headers: lastEventId,
    response: { 200: text("text/event-stream", answers.event), ...errors() },
  },
  logs: {
    operationId: "logs",
    summary: "What the instances of a service wrote, one JSON object a line; empty lines keep the connection alive",
    params: requests.serviceParams,
    querystring: requests.logsQuery,
    response: {
      200: text("application/x-ndjson", answers.logLine),
      ...errors("service-unknown", "environment-unknown"),
    },
  },
  openapi: { operationId: "openapi", summary: "This document", response: { 200: z.record(z.string(), z.unknown()) } },
  health: {
    operationId: "health",
    summary: "Answers as soon as the server serves",
    response: { 200: z.object({ status: z.literal("ok"), version: z.string() }) },
  },
  metrics: {
    operationId: "metrics",
    summary: "Prometheus text exposition",
    response: { 200: { description: "Metrics", content: { "text/plain": { schema: z.string() } } } },
  },
} as const satisfies Record<RouteName, object>;
