import { map } from "./map.ts";
import { rule } from "./rule.ts";
import { duration } from "./quantities.ts";
import { integer, requestPath } from "./texts.ts";

interface Written {
  readonly interval: number;
  readonly timeout: number;
  readonly healthyAfter: number;
  readonly deadline: number;
}

/** `health`: when an instance counts as healthy. */
export const healthSection = map({
  path: requestPath.meta({ description: "What is asked of each instance.", examples: ["/health"] }).prefault("/health"),
  status: integer(200, 599).meta({ description: "The status that a healthy instance answers." }).prefault(200),
  interval: duration("10ms", "1h")
    .meta({ description: "Time between two questions. They go on after the deployment." })
    .prefault("1s"),
  timeout: duration("1ms", "1h").meta({ description: "An answer that takes longer is a bad one." }).prefault("500ms"),
  healthyAfter: integer(1, 1000)
    .meta({ description: "Good answers in a row that make an instance healthy." })
    .prefault(2),
  unhealthyAfter: integer(1, 1000)
    .meta({ description: "Bad answers in a row that make it unhealthy: it gets no requests then." })
    .prefault(3),
  deadline: duration("100ms", "1d")
    .meta({ description: "Time that a start may take until every instance is healthy; then the deployment fails." })
    .prefault("60s"),
})
  .check(
    rule<Written>(["timeout", "deadline"], ({ timeout, deadline }) =>
      timeout > deadline
        ? [{ at: ["timeout"], message: "is longer than deadline: no instance could become healthy" }]
        : [],
    ),
  )
  .check(
    rule<Written>(["interval", "healthyAfter", "deadline"], ({ interval, healthyAfter, deadline }) =>
      interval * (healthyAfter - 1) > deadline
        ? [{ at: ["deadline"], message: "is shorter than healthyAfter × interval: no instance could become healthy" }]
        : [],
    ),
  )
  .transform(({ interval, timeout, deadline, ...rest }) => ({
    ...rest,
    intervalMs: interval,
    timeoutMs: timeout,
    deadlineMs: deadline,
  }))
  .meta({ description: "When an instance counts as healthy. Only healthy instances get requests." });
