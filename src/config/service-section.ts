import { z } from "zod";
import type { DeploySpec, TrafficSpec } from "../model/service.ts";
import { deploySection } from "./deploy-section.ts";
import { environmentSection } from "./environment-section.ts";
import { healthSection } from "./health-section.ts";
import type { Loading } from "./loading.ts";
import { map } from "./map.ts";
import { type Finding, tolerantRule } from "./rule.ts";
import { releaseSection } from "./release-section.ts";
import { shellCommand } from "./texts.ts";
import { trafficSection } from "./traffic-section.ts";
import { notEmpty, value, webhookProblem } from "./value.ts";

/** One service; its name is the key. */
export function serviceSection(loading: Loading) {
  return map({
    release: releaseSection(loading).optional(),
    environment: environmentSection(loading),
    health: healthSection.prefault({}),
    traffic: trafficSection(loading).prefault({}),
    deploy: deploySection(loading).prefault({}),
    database: databaseSection(loading).optional(),
    notify: z
      .array(
        map({
          webhook: value(loading, webhookProblem).meta({
            description: "Address that events are posted to.",
            examples: ["${file:./hook.url}"],
          }),
        }),
      )
      .meta({ description: "Who is told of deployments. Not in this version: nothing is sent, and the plan says so." })
      .prefault([]),
  })
    .check(tolerantRule(usersAreKnown))
    .transform(({ release, database, ...rest }) => ({
      ...rest,
      release: release ?? { kind: "none" as const, dir: loading.directory },
      database: database ?? null,
    }))
    .meta({ description: "One service; the key is its name." });
}

/** Who a user is, affinity says. A window that no step outlasts would never be whole. */
function usersAreKnown(written: unknown): Finding[] {
  const { traffic, deploy } = (written ?? {}) as {
    readonly traffic?: Partial<TrafficSpec>;
    readonly deploy?: Partial<DeploySpec>;
  };
  const { guardrails, bakeMs, shift } = deploy ?? {};
  // Without these something else is wrong with it, and told.
  if (guardrails?.activeUsers === undefined || traffic === undefined || bakeMs === undefined || shift === undefined)
    return [];
  const { windowMs } = guardrails.activeUsers;
  const at = ["deploy", "guardrails", "activeUsers"];
  const longest = Math.max(bakeMs, ...shift.map(({ forMs }) => forMs));
  return [
    ...(traffic.affinity === undefined
      ? [
          {
            at,
            message:
              "needs traffic.affinity, which says who is the same user: { cookie: NAME }, { header: NAME } or clientAddress",
          },
        ]
      : []),
    ...(windowMs > longest
      ? [
          {
            at: [...at, "window"],
            message: "is longer than every step of the shift and the bake: it would never be whole",
          },
        ]
      : []),
  ];
}

function databaseSection(loading: Loading) {
  return map({
    url: value(loading, notEmpty).meta({
      description: "Address of the database, with its password.",
      examples: ["${env:DB_URL}"],
    }),
    expand: shellCommand
      .meta({
        description:
          "Runs before the new environment starts: changes that the old release can live with. Not in this version: a deploy with it is refused.",
        examples: ["npm run migrate"],
      })
      .optional(),
    contract: shellCommand
      .meta({
        description:
          "Runs when the old environment is retired: takes away what only the old release needed. Not in this version: a deploy with it is refused.",
        examples: ["npm run migrate:contract"],
      })
      .optional(),
  })
    .transform(({ url, expand, contract }) => ({ url, expand: expand ?? null, contract: contract ?? null }))
    .meta({ description: "The database of the service and its migrations." });
}
