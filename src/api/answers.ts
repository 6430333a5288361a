import { z } from "zod";
import { DEPLOYMENT_STATES, GOALS } from "../model/deployment.ts";
import { EVENT_TYPES } from "../model/event.ts";
import { MAINTENANCE_MODES } from "../model/maintenance.ts";
import { PERMISSIONS, ROLES } from "../model/token.ts";

// `id` names a schema in the OpenAPI document.
const weights = z.record(z.string(), z.int()).meta({ description: "Percent of traffic per environment; sums to 100" });
const at = z.number().meta({ description: "Milliseconds since the Unix epoch" });
const goal = z.enum(GOALS);
const state = z.enum(DEPLOYMENT_STATES);

const maintenanceMode = z.enum(MAINTENANCE_MODES);

/** What counts as what: docs/observability.md. */
const dora = z
  .object({
    windowDays: z.number().meta({ description: "Days looked at, at most" }),
    observedDays: z.number().meta({ description: "Of those, since the first deployment" }),
    deployments: z.int().meta({ description: "Completed deploys of another release than the one before" }),
    deploymentsPerDay: z.number().nullable().meta({ description: "Null with less than a day of history" }),
    leadTimeSeconds: z
      .number()
      .nullable()
      .meta({ description: "Median, from the commit to the end of the deployment; null: no release was of a commit" }),
    changes: z.int().meta({ description: "Deploys of another release that got traffic, however they ended" }),
    failures: z.int().meta({ description: "Of those, taken back or followed by a rollback" }),
    changeFailureRate: z.number().nullable().meta({ description: "0 to 1; null without a change" }),
    timeToRestoreSeconds: z
      .number()
      .nullable()
      .meta({ description: "Median, from a failed release's first traffic to the traffic being back" }),
  })
  .meta({ id: "Dora" });

export const serviceStatus = z
  .object({
    service: z.string(),
    active: z.string().nullable(),
    standby: z.string().nullable(),
    traffic: weights,
    desired: weights.meta({ description: "The split that Teal has recorded; another one live is drift" }),
    observed: weights
      .nullable()
      .meta({ description: "The split that the data plane has; null when it does not answer" }),
    generation: z.int(),
    fence: z.int(),
    rollback: z.object({
      safe: z.enum(["safe", "until-contract", "unsafe"]),
      reason: z.string(),
      seconds: z.number().nullable(),
    }),
    environments: z.array(
      z.object({
        name: z.string(),
        version: z.string().nullable(),
        state: z.enum(["absent", "starting", "ready", "stopping", "failed"]),
        instances: z.array(
          z.object({ id: z.string(), address: z.string().nullable(), pid: z.int().nullable(), healthy: z.boolean() }),
        ),
      }),
    ),
    deployment: z
      .object({
        id: z.string(),
        goal,
        state,
        step: z.string().nullable(),
        startedAt: at.nullable(),
        hold: z
          .object({
            kind: z.enum(["approval", "guardrail", "drift", "frozen"]),
            message: z.string(),
            remedy: z.string(),
          })
          .nullable()
          .meta({ description: "Why it does not go on by itself; null while it does" }),
      })
      .nullable(),
    retirement: z.object({ environment: z.string(), at }).nullable(),
    dora: dora
      .nullable()
      .default(null)
      .meta({ description: "How it was delivered lately; null: nothing was deployed, or the server has just started" }),
    maintenance: z
      .object({
        mode: maintenanceMode,
        live: maintenanceMode.nullable().meta({ description: "What the proxy says; null: it does not answer" }),
        since: at.nullable(),
        until: at.nullable().meta({ description: "When a hold ends by itself" }),
        endsIn: z.enum(["off", "on"]).meta({ description: "What it becomes then" }),
        by: z.string().nullable(),
        reason: z.string().nullable(),
      })
      .nullable()
      .default(null)
      .meta({ description: "Null: off" }),
  })
  .meta({ id: "ServiceStatus" });
export type ServiceStatusAnswer = z.output<typeof serviceStatus>;

export const status = z
  .object({
    /** What answers: for `teal status` to say where traffic comes in, and which version of Teal serves. */
    version: z.string(),
    listeners: z.array(z.object({ listen: z.string(), address: z.string() })),
    permissions: z
      .array(z.enum(PERMISSIONS))
      .optional()
      .meta({ description: "What who asks may do; older servers do not tell" }),
    services: z.array(serviceStatus),
  })
  .meta({ id: "Status" });
export type StatusAnswer = z.output<typeof status>;

export const plan = z
  .object({
    goal,
    service: z.string(),
    from: z.string().nullable(),
    to: z.string(),
    steps: z.array(
      z.object({
        id: z.string(),
        uses: z.string(),
        title: z.string(),
        touches: z.array(z.string()),
        expectedSeconds: z.number(),
        worstSeconds: z.number(),
      }),
    ),
    worstRollbackSeconds: z.number(),
    warnings: z.array(z.string()),
    reads: z
      .array(z.string())
      .optional()
      .meta({ description: "What is read elsewhere while the guardrails watch, and where" }),
    changes: z.array(z.object({ path: z.string(), before: z.string().nullable(), after: z.string().nullable() })),
    releases: z
      .object({ from: z.string().nullable(), to: z.string() })
      .optional()
      .meta({ description: "What has the traffic before and after it; older servers do not tell" }),
  })
  .meta({ id: "Plan" });
export type PlanAnswer = z.output<typeof plan>;

export const receipt = z
  .object({
    service: z.string(),
    deployment: z.string().nullable(),
    generation: z.int(),
    from: weights,
    to: weights,
    at,
    inFlight: z.int().meta({ description: "In flight on the side that lost weight, at the instant of the switch" }),
    drained: z.int().meta({ description: "Of those, completed" }),
    held: z.int().meta({ description: "Waited in the hold queue and were then served" }),
    retried: z.int().meta({ description: "Sent to another instance after a failure" }),
    rescued: z.int().meta({ description: "Served by the other environment after a connect failure" }),
    cut: z.int().meta({ description: "Ended by the drain deadline" }),
    failed: z.int(),
    kernelRefused: z.int().meta({ description: "Connections that the kernel dropped" }),
    final: z.boolean().meta({ description: "Whether draining has ended, so that the counts will not change any more" }),
  })
  .meta({ id: "Receipt" });
export type ReceiptAnswer = z.output<typeof receipt>;

const cause = z
  .discriminatedUnion("kind", [
    z.object({ kind: z.literal("abort"), by: z.string(), reason: z.string().nullable() }),
    z.object({ kind: z.literal("verdict"), code: z.string(), message: z.string() }),
    z.object({ kind: z.literal("failure"), code: z.string(), message: z.string() }),
  ])
  .nullable();

export const deployment = z
  .object({
    id: z.string(),
    service: z.string(),
    goal,
    state,
    from: z.string().nullable(),
    to: z.string(),
    version: z.string().nullable(),
    release: z.string().nullable(),
    cause,
    by: z.string(),
    reason: z.string().nullable(),
    createdAt: at,
    startedAt: at.nullable(),
    endedAt: at.nullable(),
    steps: z.array(
      z.object({
        id: z.string(),
        uses: z.string(),
        title: z.string(),
        state: z.enum(["pending", "running", "done", "failed", "undoing", "undone", "skipped"]),
        startedAt: at.nullable(),
        endedAt: at.nullable(),
        message: z.string().exactOptional().meta({
          description: "How far a step is that counts something, such as probes; absent: nothing is to be said",
        }),
      }),
    ),
    receipts: z.array(receipt),
  })
  .meta({ id: "Deployment" });
export type DeploymentAnswer = z.output<typeof deployment>;

export const accepted = z.object({ id: z.string() }).meta({ id: "Accepted" });

/** Answer to a switch or a rollback: the deployment that does it, and the receipt when it is done within the call. */
export const switched = z.object({ id: z.string(), state, receipt: receipt.nullable() }).meta({ id: "Switched" });
export type SwitchedAnswer = z.output<typeof switched>;

export const approved = z
  .object({
    id: z.string(),
    service: z.string(),
    state,
    by: z.string().meta({ description: "Whose approval counts: the first one's" }),
    reason: z.string().nullable(),
    at,
    repeated: z.boolean().meta({ description: "Whether it had been approved before; this call then changed nothing" }),
  })
  .meta({ id: "Approved" });
export type ApprovedAnswer = z.output<typeof approved>;

export const maintenance = z
  .object({
    service: z.string(),
    mode: maintenanceMode,
    since: at,
    until: at.nullable().meta({ description: "When a hold ends by itself" }),
    endsIn: z.enum(["off", "on"]).meta({ description: "What it becomes then" }),
    by: z.string(),
    reason: z.string().nullable(),
    changed: z.boolean().meta({ description: "False: it was so already" }),
    warnings: z.array(z.string()).meta({ description: "What could not be done as teal.yaml says" }),
  })
  .meta({ id: "Maintenance" });
export type MaintenanceAnswer = z.output<typeof maintenance>;
export const trafficSet = z
  .object({ service: z.string(), weights, generation: z.int(), receipt: receipt.nullable() })
  .meta({ id: "TrafficSet" });
export type TrafficSetAnswer = z.output<typeof trafficSet>;

export const environmentChanged = z
  .object({
    service: z.string(),
    environment: z.string(),
    state: z.enum(["absent", "starting", "ready", "stopping", "failed"]),
    changed: z.boolean().meta({ description: "False: it was so already" }),
    deployment: z.string().nullable().meta({ description: "Of a retirement: the deployment that does it" }),
  })
  .meta({ id: "EnvironmentChanged" });
export type EnvironmentChangedAnswer = z.output<typeof environmentChanged>;

const token = z
  .object({
    id: z.string(),
    name: z.string(),
    role: z.enum(ROLES),
    services: z.array(z.string()).nullable().meta({ description: "Null: all" }),
    createdBy: z.string(),
    createdAt: at,
    expiresAt: at.nullable().meta({ description: "Null: never" }),
    usedAt: at.nullable().meta({ description: "Exact to a minute; null: never" }),
  })
  .meta({ id: "Token" });
export type TokenAnswer = z.output<typeof token>;

const apiReach = z
  .object({
    address: z.string().nullable().meta({ description: "Null: it does not answer over TCP" }),
    problem: z.string().nullable().meta({ description: "Why it does not though a token is valid" }),
  })
  .meta({ id: "ApiReach" });
export type ApiReachAnswer = z.output<typeof apiReach>;

export const tokens = z.object({ tokens: z.array(token), api: apiReach }).meta({ id: "Tokens" });
export type TokensAnswer = z.output<typeof tokens>;

export const tokenCreated = z
  .object({ token, secret: z.string().meta({ description: "Shown this once; kept as a hash" }), api: apiReach })
  .meta({ id: "TokenCreated" });
export type TokenCreatedAnswer = z.output<typeof tokenCreated>;

export const tokenRevoked = z.object({ token }).meta({ id: "TokenRevoked" });
export type TokenRevokedAnswer = z.output<typeof tokenRevoked>;

const histogram = z
  .array(z.tuple([z.int(), z.number()]))
  .meta({ description: "Pairs of bucket and count, without the empty ones; bucket i ends at 0.5 · 1.2^(i / 6) ms" });

export const series = z
  .object({
    deployment: z.string(),
    service: z.string(),
    candidate: z.string().meta({ description: "The new environment" }),
    baseline: z.string().nullable(),
    stages: z.array(
      z.object({
        step: z.string(),
        weight: z.int().meta({ description: "Percent for the new environment" }),
        from: at,
        to: at.nullable(),
        compared: z.boolean().meta({ description: "Whether the other environment was compared with" }),
      }),
    ),
    before: z
      .record(z.string(), histogram)
      .meta({ description: "Latencies by environment before the first shift, since the split had last changed" }),
    points: z.array(
      z.object({
        from: at,
        at,
        clockMs: z
          .number()
          .exactOptional()
          .meta({ description: "What the wall clock showed beyond `at`, as it had been set meanwhile" }),
        step: z
          .string()
          .nullable()
          .exactOptional()
          .meta({ description: "The step that watched; null: none did; absent: not known" }),
        environments: z.record(
          z.string(),
          z.object({
            requests: z.int(),
            failures: z.int(),
            connectFailures: z.int(),
            latency: histogram,
            clients: z.object({ failing: z.int(), repeats: z.int() }).exactOptional().meta({
              description:
                "Clients that had not failed before, and failures of those that had less than 10 s before; absent: clients are not told apart",
            }),
          }),
        ),
      }),
    ),
  })
  .meta({ id: "Series" });
export type SeriesAnswer = z.output<typeof series>;

const historyRow = z
  .object({
    deployment: z.string(),
    goal,
    from: z.string().nullable(),
    to: z.string(),
    version: z.string().nullable(),
    state,
    startedAt: at.nullable(),
    endedAt: at.nullable(),
    by: z.string(),
    reason: z.string().nullable(),
    cause: cause.default(null).meta({ description: "Why it was taken back; null: it was not" }),
  })
  .meta({ id: "HistoryRow" });
export const history = z.object({ history: z.array(historyRow) }).meta({ id: "History" });
export type HistoryAnswer = z.output<typeof history>;

export const event = z
  .object({
    seq: z.int(),
    at,
    service: z.string().nullable(),
    deployment: z.string().nullable(),
    type: z.enum(EVENT_TYPES),
    step: z.string().nullish(),
    data: z.record(z.string(), z.unknown()),
  })
  .meta({ id: "Event" });
export type EventAnswer = z.output<typeof event>;

export const logLine = z.object({ at, instance: z.string(), text: z.string() }).meta({ id: "LogLine" });
export type LogLineAnswer = z.output<typeof logLine>;

/** RFC 9457, "Problem Details for HTTP APIs", with the catalogue's code and what to do. */
export const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string(),
    remedy: z.string(),
    problems: z.array(z.object({ path: z.string(), line: z.int().nullable(), message: z.string() })),
  })
  .meta({ id: "Problem" });
export type ProblemAnswer = z.output<typeof problem>;
