import { z } from "zod";
import { METRIC_VARIABLES, type MetricSettings, type MetricSource } from "../model/metric.ts";
import { refuse, type Refusal } from "./decode.ts";
import type { Loading } from "./loading.ts";
import { map } from "./map.ts";
import { didYouMean } from "./nearest.ts";
import { type Finding, rule } from "./rule.ts";
import { duration } from "./quantities.ts";
import { requestPath, text } from "./texts.ts";
import { notEmpty, value, webhookProblem } from "./value.ts";

/** A source as the rest of its guardrail needs to know it. */
export interface WrittenSource extends MetricSource {
  /** Whether it counts what was bad and all. */
  readonly isShare: boolean;
}

const WORD = /\$(\$|[A-Za-z_][A-Za-z0-9_]*)/g;
/** RFC 6901, section 3; empty is the whole document, which is no number. */
const POINTER = /^(?:\/(?:[^~/]|~[01])*)+$/;

/** Text in which `$environment` and the like stand for names. */
function asked(title: string) {
  return text({ title, maxLength: 4_000 }, (written) => {
    if (written.length > 4_000) return refuse("has more than 4000 characters");
    return unknownVariable(written) ?? written;
  });
}

const path = requestPath.transform((written, context): string => {
  const unknown = unknownVariable(written);
  if (unknown === null) return written;
  for (const message of unknown.messages) context.issues.push({ code: "custom", message, input: written });
  return z.NEVER;
});

function unknownVariable(written: string): Refusal | null {
  const known: readonly string[] = METRIC_VARIABLES;
  const unknown = [...written.matchAll(WORD)].find(([, word = ""]) => word !== "$" && !known.includes(word));
  if (unknown === undefined) return null;
  const [all, word = ""] = unknown;
  const hint = didYouMean(word, known);
  return refuse(
    `has ${all}, but only ${known.map((name) => `$${name}`).join(", ")} are substituted; for a literal $ write $$${hint === "" ? "" : hint.replace("mean ", "mean $")}`,
  );
}

const pointer = text({ title: "JSON pointer", pattern: POINTER.source }, (written) =>
  POINTER.test(written)
    ? written
    : refuse("is not a JSON pointer (RFC 6901) such as /queue/lag: it begins with /, and writes ~1 for / and ~0 for ~"),
);

function urlProblem(resolved: string): string | null {
  const url = URL.parse(resolved);
  if (webhookProblem(resolved) !== null || url === null) return "is not an http:// or https:// address";
  return url.username === "" && url.password === "" ? null : "holds a user or a password: write them under auth";
}

/** What may stand in a header: visible ASCII. */
function headerProblem(resolved: string): string | null {
  return notEmpty(resolved) ?? (/^[\x20-\x7e]+$/.test(resolved) ? null : "has characters that a header cannot hold");
}

function secret(loading: Loading, description: string, example: string) {
  return value(loading, headerProblem)
    .transform((resolved, context) => {
      if (typeof resolved !== "string") return resolved;
      context.issues.push({
        code: "custom",
        message: "is a secret in the clear: write ${env:X} or ${file:P}",
        input: null,
      });
      return z.NEVER;
    })
    .meta({ description, examples: [example] })
    .exactOptional();
}

interface Auth {
  readonly bearer?: unknown;
  readonly user?: unknown;
  readonly password?: unknown;
}

function auth(loading: Loading) {
  return map({
    bearer: secret(loading, "A token.", "${env:METRICS_TOKEN}"),
    user: value(loading, headerProblem)
      .meta({ description: "With `password`: basic authentication.", examples: ["teal"] })
      .exactOptional(),
    password: secret(loading, "Of that user.", "${file:./password}"),
  })
    .check(rule<Auth>([], eitherWay))
    .meta({ description: "Who asks, if the source wants to know." })
    .exactOptional();
}

function eitherWay({ bearer, user, password }: Auth): Finding[] {
  const basic = [user, password].filter((one) => one !== undefined).length;
  if (bearer !== undefined && basic > 0) return [{ at: ["bearer"], message: "cannot stand beside user and password" }];
  return bearer === undefined && basic !== 2 ? [{ at: [], message: "needs bearer, or user and password" }] : [];
}

function prometheus(loading: Loading) {
  return map({
    url: value(loading, urlProblem).meta({
      description: "Address of Prometheus, or of what speaks its HTTP API.",
      examples: ["http://127.0.0.1:9090"],
    }),
    query: asked("PromQL").meta({
      description:
        "An instant query that gives one number; `$environment` and the like are put in, escaped for quotes.",
      examples: ['max(queue_lag_seconds{env="$environment"})'],
    }),
    total: asked("PromQL")
      .meta({
        description: "Counts all of what `query` counts the bad ones of: makes it a share, which is tested.",
        examples: ['sum(jobs_total{env="$environment"})'],
      })
      .exactOptional(),
    auth: auth(loading),
  })
    .transform(({ auth: who, ...rest }) => sourceOf("prometheus", { ...rest, ...who }, [rest.query, rest.total]))
    .meta({ description: "Asks a Prometheus server." });
}

function http(loading: Loading) {
  return map({
    url: value(loading, urlProblem)
      .meta({ description: "What is asked with GET.", examples: ["https://queue.example.com/state"] })
      .exactOptional(),
    path: path
      .meta({ description: "In place of url: asked of each instance of the environment.", examples: ["/queue"] })
      .exactOptional(),
    pointer: pointer.meta({
      description: "Where the number stands in the answer, as RFC 6901.",
      examples: ["/queue/lag"],
    }),
    of: pointer
      .meta({ description: "Where the number stands that it is divided by.", examples: ["/queue/size"] })
      .exactOptional(),
    total: pointer
      .meta({
        description: "Makes `pointer` a counter of what was bad, and this one of all: a share, which is tested.",
        examples: ["/jobs/all"],
      })
      .exactOptional(),
    auth: auth(loading),
  })
    .check(rule<Readonly<Record<string, unknown>>>([], urlOrPath))
    .transform(({ auth: who, ...rest }) => {
      const url = typeof rest.url === "string" ? rest.url : rest.url?.template;
      const source = sourceOf("http", { ...rest, ...who }, [rest.path, url]);
      return { ...source, perEnvironment: source.perEnvironment || rest.path !== undefined };
    })
    .meta({ description: "Reads a number of a JSON document." });
}

function urlOrPath({ url, path: own, of, total, auth: who }: Readonly<Record<string, unknown>>): Finding[] {
  return [
    ...(url === undefined && own === undefined ? [{ at: [], message: "needs url or path" }] : []),
    ...(url !== undefined && own !== undefined ? [{ at: ["path"], message: "cannot stand beside url" }] : []),
    ...(of !== undefined && total !== undefined ? [{ at: ["of"], message: "cannot stand beside total" }] : []),
    ...(own !== undefined && who !== undefined ? [{ at: ["auth"], message: "goes with url alone" }] : []),
  ];
}

const cloudwatch = map({
  region: text({ title: "region" })
    .meta({ description: "Without it: as the AWS environment of the server says.", examples: ["eu-central-1"] })
    .exactOptional(),
  namespace: asked("text").meta({ description: "The metric's namespace.", examples: ["AWS/ApplicationELB"] }),
  metric: asked("text").meta({ description: "The metric's name.", examples: ["HTTPCode_Target_5XX_Count"] }),
  dimensions: z
    .record(z.string().min(1).max(255), asked("text"))
    .meta({ description: "The metric's dimensions.", examples: [{ TargetGroup: "$environment" }] })
    .prefault({}),
  statistic: text({ title: "statistic" }, (written) =>
    /^(?:Average|Sum|Minimum|Maximum|SampleCount|p\d{1,2}(?:\.\d+)?|p100)$/.test(written)
      ? written
      : refuse("is none of Average, Sum, Minimum, Maximum, SampleCount, p99 and the like"),
  )
    .meta({ description: "What is made of a period's values." })
    .prefault("Average"),
  period: duration("1s", "1d")
    .meta({
      description: "A minute or a multiple of it; less for metrics of high resolution. The newest whole one counts.",
    })
    .prefault("60s"),
})
  .transform(({ dimensions, period, ...rest }) => {
    const list = Object.entries(dimensions).map(([name, of]) => ({ name, value: of }));
    const settings = { ...rest, dimensions: list, periodMs: period };
    return sourceOf("cloudwatch", settings, [rest.namespace, rest.metric, ...Object.values(dimensions)]);
  })
  .meta({ description: "Asks Amazon CloudWatch, with the AWS credentials of the server's environment." });

function sourceOf(
  driver: string,
  settings: MetricSettings & { readonly total?: string },
  texts: readonly (string | undefined)[],
): WrittenSource {
  const words = texts.flatMap((one) => [...(one ?? "").matchAll(WORD)].map(([, word = ""]) => word));
  const perEnvironment = words.some((word) => ["environment", "version", "release"].includes(word));
  return { driver, settings, perEnvironment, isShare: settings.total !== undefined };
}

/** The keys of a metric's source, by the names of the drivers; of each guardrail exactly one stands there. */
export function metricSources(loading: Loading) {
  return {
    prometheus: prometheus(loading).exactOptional(),
    cloudwatch: cloudwatch.exactOptional(),
    http: http(loading).exactOptional(),
  };
}
export const SOURCES = ["prometheus", "cloudwatch", "http"] as const;
