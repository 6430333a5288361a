import { z } from "zod";
import { map } from "./map.ts";
import { type Finding, rule } from "./rule.ts";
import { duration } from "./quantities.ts";
import { command, integer, requestPath, text } from "./texts.ts";

const check = map({
  path: requestPath.meta({ description: "What is asked.", examples: ["/"] }),
  status: integer(100, 599).meta({ description: "The status that passes." }).prefault(200),
  body: text()
    .meta({ description: "Text that the body must contain.", examples: ["Welcome"] })
    .optional(),
  within: duration("1ms", "1d")
    .meta({ description: "Longest time to the whole answer.", examples: ["2s"] })
    .optional(),
});

/** Requests that must be answered as declared. */
export const httpChecks = z
  .array(check.transform(({ body, within, ...rest }) => ({ ...rest, body: body ?? null, withinMs: within ?? null })))
  .max(1000);

interface Written {
  readonly checks: readonly { readonly within?: number | undefined; readonly withinMs?: number | null }[];
  readonly deadline: number;
}

/** `deploy.validate`: what a new environment must pass before it gets traffic. */
export const validateSection = map({
  endpoint: requestPath
    .meta({
      description: 'Path of the app\'s own validation. 200 passes, unless its JSON says `"deployment_ready": false`.',
      examples: ["/deployment/validate"],
    })
    .optional(),
  smoke: command
    .meta({
      description:
        "A command run in the release's folder, with `BASE_URL` of the new environment and what an instance is told. Exit code 0 passes.",
      examples: ["./smoke.sh"],
    })
    .optional(),
  checks: httpChecks.meta({ description: "Requests that the new environment must answer." }).prefault([]),
  deadline: duration("100ms", "7d").meta({ description: "For the whole of validation." }).prefault("5m"),
})
  .check(rule<Written>(["checks", "deadline"], withinDeadline))
  .transform(({ endpoint, smoke, deadline, ...rest }) => ({
    ...rest,
    endpoint: endpoint ?? null,
    smoke: smoke ?? null,
    deadlineMs: deadline,
  }))
  .meta({ description: "What a new environment must pass, on its own address, before it gets traffic." });

function withinDeadline({ checks, deadline }: Written): Finding[] {
  return checks.flatMap(({ withinMs }, index) =>
    typeof withinMs === "number" && withinMs > deadline
      ? [{ at: ["checks", index, "within"], message: "is longer than the deadline of validation" }]
      : [],
  );
}
