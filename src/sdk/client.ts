import type { IncomingMessage } from "node:http";
import type { z } from "zod";
import * as answers from "../api/answers.ts";
import type {
  AbortRequest,
  ApproveRequest,
  DeploymentRequest,
  MaintenanceRequest,
  PlanRequest,
  EnvironmentRequest,
  ResumeRequest,
  RevokeRequest,
  RollbackRequest,
  ScaleRequest,
  SwitchRequest,
  TokenRequest,
  TrafficRequest,
} from "../api/requests.ts";
import { report, type ReportAnswer } from "../api/report-answer.ts";
import { type RouteName, ROUTES } from "../api/routes.ts";
import { TealError } from "../model/error.ts";
import type { Clock } from "../model/time.ts";
import { deadline } from "./deadline.ts";
import { type Endpoint, endpointName } from "./endpoint.ts";
import { readText, send } from "./http.ts";
import type { CallOptions, EventsOptions, LogsOptions, RepeatableOptions } from "./options.ts";
import { problemError } from "./problem.ts";
import { parseJson, readShape } from "./shape.ts";

type Parameters = Readonly<Record<string, string>>;
type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export type EnvironmentName = { readonly service: string; readonly environment: string };

interface Ask {
  readonly parameters?: Parameters;
  readonly query?: Query;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * The HTTP API of a Teal server: one method per route. Answers are checked against the API's schemas. Every method
 * throws the TealError that the server raised, `server-down` when nobody answers, `deadline-passed` after the call's
 * deadline, or the reason of the signal.
 */
export class TealClient {
  readonly #endpoint: Endpoint;
  readonly #clock: Clock;
  readonly #headers: Readonly<Record<string, string>>;

  /** `user`: who asks, for the history; taken over the unix socket alone. */
  constructor(endpoint: Endpoint, clock: Clock, user?: string) {
    this.#endpoint = endpoint;
    this.#clock = clock;
    this.#headers = user === undefined ? {} : { "teal-user": user };
  }

  status(options?: CallOptions): Promise<answers.StatusAnswer> {
    return this.#json("status", answers.status, {}, options);
  }

  service(service: string, options?: CallOptions): Promise<answers.ServiceStatusAnswer> {
    return this.#json("service", answers.serviceStatus, { parameters: { service } }, options);
  }

  /** The plan that the same request would run now; changes nothing. */
  plan(service: string, body: PlanRequest, options?: CallOptions): Promise<answers.PlanAnswer> {
    return this.#json("plan", answers.plan, { parameters: { service }, body }, options);
  }

  /** Accepts a deployment and returns; repeating with the same key answers with the first one's id. */
  deploy(
    service: string,
    body: DeploymentRequest,
    idempotencyKey: string,
    options?: CallOptions,
  ): Promise<{ id: string }> {
    const headers = { "idempotency-key": idempotencyKey };
    return this.#json("deploy", answers.accepted, { parameters: { service }, body, headers }, options);
  }

  deployment(deployment: string, options?: CallOptions): Promise<answers.DeploymentAnswer> {
    return this.#json("deployment", answers.deployment, { parameters: { deployment } }, options);
  }

  report(deployment: string, options?: CallOptions): Promise<ReportAnswer> {
    return this.#json("report", report, { parameters: { deployment }, query: { format: "json" } }, options);
  }

  /** The same as a page for people. */
  reportPage(deployment: string, format: "markdown" | "html", options?: CallOptions): Promise<string> {
    return this.#text("report", { parameters: { deployment }, query: { format } }, options);
  }

  /** What is kept of its traffic. */
  series(deployment: string, options?: CallOptions): Promise<answers.SeriesAnswer> {
    return this.#json("series", answers.series, { parameters: { deployment } }, options);
  }

  /** Traffic is back when this returns; the clean-up runs on. */
  abort(deployment: string, body: AbortRequest, options?: CallOptions): Promise<answers.DeploymentAnswer> {
    return this.#json("abort", answers.deployment, { parameters: { deployment }, body }, options);
  }

  /** Lets a deployment pass its gate, now or when it gets there; the first approval counts. */
  approve(deployment: string, body: ApproveRequest, options?: CallOptions): Promise<answers.ApprovedAnswer> {
    return this.#json("approve", answers.approved, { parameters: { deployment }, body }, options);
  }

  /** Lets a deployment that holds go on. */
  resume(deployment: string, body: ResumeRequest, options?: CallOptions): Promise<answers.DeploymentAnswer> {
    return this.#json("resume", answers.deployment, { parameters: { deployment }, body }, options);
  }

  /** Sets the split by hand; the data plane has it when this returns. */
  traffic(service: string, body: TrafficRequest, options?: CallOptions): Promise<answers.TrafficSetAnswer> {
    return this.#json("traffic", answers.trafficSet, { parameters: { service }, body }, options);
  }

  /** Starts a stopped environment; it is healthy when this returns. */
  startEnvironment(
    parameters: EnvironmentName,
    body: EnvironmentRequest,
    options?: CallOptions,
  ): Promise<answers.EnvironmentChangedAnswer> {
    return this.#json("startEnvironment", answers.environmentChanged, { parameters, body }, options);
  }

  /** Stops an environment without traffic. */
  stopEnvironment(
    parameters: EnvironmentName,
    body: EnvironmentRequest,
    options?: CallOptions,
  ): Promise<answers.EnvironmentChangedAnswer> {
    return this.#json("stopEnvironment", answers.environmentChanged, { parameters, body }, options);
  }

  /** Another number of instances, until the next deploy; they are healthy when this returns. */
  scaleEnvironment(
    parameters: EnvironmentName,
    body: ScaleRequest,
    options?: CallOptions,
  ): Promise<answers.EnvironmentChangedAnswer> {
    return this.#json("scaleEnvironment", answers.environmentChanged, { parameters, body }, options);
  }

  /** Begins to retire an environment without traffic. */
  retireEnvironment(
    parameters: EnvironmentName,
    body: EnvironmentRequest,
    options?: CallOptions,
  ): Promise<answers.EnvironmentChangedAnswer> {
    return this.#json("retireEnvironment", answers.environmentChanged, { parameters, body }, options);
  }

  /** Answers when the data plane has applied it, or it has failed. */
  switch(service: string, body: SwitchRequest, options?: RepeatableOptions): Promise<answers.SwitchedAnswer> {
    const ask = { parameters: { service }, body, headers: keyHeader(options) };
    return this.#json("switch", answers.switched, ask, options);
  }

  rollback(service: string, body: RollbackRequest, options?: RepeatableOptions): Promise<answers.SwitchedAnswer> {
    const ask = { parameters: { service }, body, headers: keyHeader(options) };
    return this.#json("rollback", answers.switched, ask, options);
  }

  /** Answers when the proxy does so. */
  maintenance(service: string, body: MaintenanceRequest, options?: CallOptions): Promise<answers.MaintenanceAnswer> {
    return this.#json("maintenance", answers.maintenance, { parameters: { service }, body }, options);
  }

  /** The tokens that open the API over TCP, oldest first. */
  tokens(options?: CallOptions): Promise<answers.TokensAnswer> {
    return this.#json("tokens", answers.tokens, {}, options);
  }

  /** The answer is the only place that holds the secret. */
  createToken(body: TokenRequest, options?: CallOptions): Promise<answers.TokenCreatedAnswer> {
    return this.#json("createToken", answers.tokenCreated, { body }, options);
  }

  /** By name or id; it opens nothing any more when this returns. */
  revokeToken(token: string, body: RevokeRequest, options?: CallOptions): Promise<answers.TokenRevokedAnswer> {
    return this.#json("revokeToken", answers.tokenRevoked, { parameters: { token }, body }, options);
  }

  /** Deployments, newest first. */
  history(service: string, limit: number, options?: CallOptions): Promise<answers.HistoryAnswer> {
    return this.#json("history", answers.history, { parameters: { service }, query: { limit } }, options);
  }

  /** The API as an OpenAPI document. */
  async openapi(options?: CallOptions): Promise<unknown> {
    return parseJson(await this.#text("openapi", {}, options));
  }

  /** Returns when the server is up. */
  async health(options?: CallOptions): Promise<void> {
    await this.#text("health", {}, options);
  }

  /** Prometheus text exposition. */
  metrics(options?: CallOptions): Promise<string> {
    return this.#text("metrics", {}, options);
  }

  /** Events in order of `seq`, each once. */
  async *events(options: EventsOptions): AsyncGenerator<answers.EventAnswer, void, undefined> {
    const { followEvents } = await import("./events.ts");
    const open = (after: number | undefined, signal: AbortSignal): Promise<IncomingMessage> =>
      this.#open("events", { query: { after, follow: options.follow } }, signal);
    yield* followEvents({ ...options, open, clock: this.#clock, name: endpointName(this.#endpoint) });
  }

  /** Log lines, oldest first. */
  async *logs(service: string, options: LogsOptions = {}): AsyncGenerator<answers.LogLineAnswer, void, undefined> {
    const { lines } = await import("./lines.ts");
    const { environment, lines: count, follow } = options;
    const ended = new AbortController();
    const signal = options.signal === undefined ? ended.signal : AbortSignal.any([options.signal, ended.signal]);
    try {
      const response = await this.#open(
        "logs",
        { parameters: { service }, query: { environment, lines: count, follow } },
        signal,
      );
      response.setEncoding("utf8");
      for await (const line of lines(response)) yield readShape(answers.logLine, line, "logs");
    } catch (thrown) {
      throw signal.aborted ? signal.reason : thrown;
    } finally {
      ended.abort();
    }
  }

  /** Opens a stream; the signal ends it. Only its beginning has a deadline. */
  async #open(route: RouteName, ask: Ask, signal: AbortSignal): Promise<IncomingMessage> {
    const opened = new AbortController();
    const timer = setTimeout(() => {
      opened.abort(
        new TealError(
          "deadline-passed",
          `the server at ${endpointName(this.#endpoint)} did not begin to answer in 10 s`,
        ),
      );
    }, 10_000);
    try {
      const both = AbortSignal.any([signal, opened.signal]);
      const response = await send(this.#endpoint, { ...address(route, ask), signal: both });
      if (response.statusCode === 200) return response;
      throw problemError(response.statusCode ?? 0, await readText(response, this.#endpoint, both));
    } finally {
      clearTimeout(timer);
    }
  }

  async #json<T>(route: RouteName, schema: z.ZodType<T>, ask: Ask, options?: CallOptions): Promise<T> {
    return readShape(schema, await this.#text(route, ask, options), route);
  }

  async #text(route: RouteName, ask: Ask, options: CallOptions = {}): Promise<string> {
    using limit = deadline(options.timeoutMs ?? 30_000, `the server's answer to ${route}`, options.signal);
    const response = await send(this.#endpoint, {
      ...address(route, ask),
      ...(ask.body === undefined ? {} : { body: ask.body }),
      headers: { ...this.#headers, ...ask.headers },
      signal: limit.signal,
    });
    const text = await readText(response, this.#endpoint, limit.signal);
    const status = response.statusCode ?? 0;
    if (status >= 200 && status < 300) return text;
    throw problemError(status, text);
  }
}

function keyHeader(options: RepeatableOptions | undefined): Readonly<Record<string, string>> {
  return options?.idempotencyKey === undefined ? {} : { "idempotency-key": options.idempotencyKey };
}

/** A route with its parameters filled in and its query; what is undefined is left out. */
function address(route: RouteName, ask: Ask): { readonly method: "GET" | "POST"; readonly path: string } {
  const { method, path } = ROUTES[route];
  const filled = path.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(ask.parameters?.[name] ?? ""));
  const pairs = Object.entries(ask.query ?? {}).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, String(value)]],
  );
  return { method, path: pairs.length === 0 ? filled : `${filled}?${new URLSearchParams(pairs).toString()}` };
}

/** A receipt as an event's data holds it; null when it is none. */
export function readReceipt(data: unknown): answers.ReceiptAnswer | null {
  return answers.receipt.safeParse(data).data ?? null;
}

export type {
  ApiReachAnswer,
  DeploymentAnswer,
  EnvironmentChangedAnswer,
  EventAnswer,
  HistoryAnswer,
  LogLineAnswer,
  MaintenanceAnswer,
  PlanAnswer,
  ReceiptAnswer,
  ServiceStatusAnswer,
  StatusAnswer,
  TokenAnswer,
} from "../api/answers.ts";
