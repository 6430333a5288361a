import { z } from "zod";
import { MAINTENANCE_MODES } from "../model/maintenance.ts";
import { DRIFT_CHOICES } from "../model/hold.ts";
import { NAME_PATTERN } from "../model/names.ts";
import { ROLES } from "../model/token.ts";

const name = z
  .string()
  .regex(NAME_PATTERN, "letters, digits and . _ + - only, beginning with a letter or digit, at most 128");

const reason = z.string().max(1_000).nullish().meta({ description: "Why, for the history; at most 1,000 characters" });

/**
 * Values for the `${env:X}` references of teal.yaml, from the environment of the person who deploys. Taken over the unix
 * socket alone; only names that teal.yaml refers to are used.
 */
const variables = z.record(z.string(), z.string()).optional().meta({
  description: "Values for the `${env:X}` references of teal.yaml; taken over the unix socket alone",
});

const version = name.meta({ description: "Version to deploy, as the release source knows it" });
const environment = name.meta({ description: "Name of an environment, such as `green`" });

export const planRequest = z.strictObject({
  goal: z.enum(["deploy", "switch", "rollback", "retire"]).meta({ description: "What the plan is for" }),
  version: version.optional().meta({ description: "For `deploy`" }),
  to: environment.optional().meta({ description: "Environment, for `switch` and `retire`" }),
  variables,
});
export type PlanRequest = z.output<typeof planRequest>;

export const deploymentRequest = z.strictObject({
  version,
  supersede: z.boolean().default(false).meta({
    description: "Take back a deployment that is under way, or end its bake, first",
  }),
  reason,
  variables,
});
export type DeploymentRequest = z.input<typeof deploymentRequest>;

export const switchRequest = z.strictObject({
  to: environment,
  force: z
    .boolean()
    .default(false)
    .meta({ description: "Switch even to an environment that is not healthy; recorded" }),
  reason,
});
export type SwitchRequest = z.input<typeof switchRequest>;

export const rollbackRequest = z.strictObject({ reason });
export type RollbackRequest = z.input<typeof rollbackRequest>;

export const maintenanceRequest = z.strictObject({
  mode: z.enum(MAINTENANCE_MODES).meta({
    description: "`on`: requests are answered with a page; `hold`: they wait; `off`: the app gets them",
  }),
  seconds: z.int().min(1).max(86_400).optional().meta({
    description: "Of a hold: longest that it lasts when nobody ends it; absent: as teal.yaml says",
  }),
  endsIn: z.enum(["off", "on"]).optional().meta({ description: "Of a hold: what it becomes then" }),
  close: z.boolean().default(false).meta({
    description: "Also end the WebSockets and event streams that are open",
  }),
  reason,
});
export type MaintenanceRequest = z.input<typeof maintenanceRequest>;

export const abortRequest = z.strictObject({ reason });
export type AbortRequest = z.input<typeof abortRequest>;

export const approveRequest = z.strictObject({ reason });
export type ApproveRequest = z.input<typeof approveRequest>;

const drift = z
  .enum(DRIFT_CHOICES)
  .meta({ description: "A live split that Teal did not set: it becomes the record, or is overwritten by it" });

export const resumeRequest = z.strictObject({ reason, drift: drift.optional() });
export type ResumeRequest = z.input<typeof resumeRequest>;

export const trafficRequest = z.strictObject({
  weights: z
    .record(name, z.int().min(0).max(100))
    .optional()
    .meta({ description: "Percent per environment, summing to 100; those left out get nothing" }),
  drift: drift.optional().meta({ description: "Instead of weights: `adopt` the live split, or `overwrite` it" }),
  force: z.boolean().default(false).meta({
    description: "Also for environments that are not healthy, and while a deployment is under way; recorded",
  }),
  reason,
});
export type TrafficRequest = z.input<typeof trafficRequest>;

export const environmentRequest = z.strictObject({ reason });
export type EnvironmentRequest = z.input<typeof environmentRequest>;

export const scaleRequest = z.strictObject({
  count: z.int().min(1).max(1_000).meta({ description: "Instances, until the next deploy to this environment" }),
  reason,
});
export type ScaleRequest = z.input<typeof scaleRequest>;

/** Ten years: above it, leave it out. */
const LONGEST_TOKEN_S = 3_650 * 86_400;

export const tokenRequest = z.strictObject({
  name: name.meta({ description: "What the history is to call it; no two tokens have the same" }),
  role: z.enum(ROLES).meta({
    description:
      "viewer: read. deployer: also deploy, switch, abort and all else to a service. approver: read, approve, abort. admin: everything",
  }),
  services: z.array(name).min(1).max(1_000).nullish().meta({ description: "Only for these; absent: for all" }),
  expiresInSeconds: z.int().min(1).max(LONGEST_TOKEN_S).optional().meta({ description: "Absent: never" }),
  reason,
});
export type TokenRequest = z.input<typeof tokenRequest>;

export const revokeRequest = z.strictObject({ reason });
export type RevokeRequest = z.input<typeof revokeRequest>;

export const tokenParams = z.object({ token: z.string().max(128).meta({ description: "Name or id of a token" }) });
export const environmentParams = z.object({
  service: name.meta({ description: "A service of teal.yaml" }),
  environment,
});
export const serviceParams = z.object({ service: name.meta({ description: "A service of teal.yaml" }) });
export const deploymentParams = z.object({ deployment: z.string().meta({ description: "Id of a deployment" }) });
export const eventsQuery = z.object({
  after: z.coerce.number().int().min(0).optional().meta({ description: "Only events with a higher `seq`" }),
  follow: z
    .stringbool()
    .default(true)
    .meta({ description: "Go on as they come, or end at the newest: `true` or `false`" }),
});
export const historyQuery = z.object({
  limit: z.coerce.number().int().min(1).max(1_000).default(50).meta({ description: "At most so many, up to 1,000" }),
});
export const logsQuery = z.object({
  environment: environment.optional().meta({ description: "Only of this environment; absent: of all" }),
  lines: z.coerce
    .number()
    .int()
    .min(0)
    .max(10_000)
    .default(100)
    .meta({ description: "The last so many lines first, up to 10,000" }),
  follow: z.stringbool().default(false).meta({ description: "Go on as they come: `true` or `false`" }),
});
