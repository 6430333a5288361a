import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { type RouteName, ROUTES } from "../api/routes.ts";
import type { Control } from "../engine/control.ts";
import { TealError } from "../model/error.ts";
import type { TealEvent } from "../model/event.ts";
import { covers, grants, PERMISSIONS, type Token } from "../model/token.ts";
import { recordedTraffic } from "../simulation/recorded.ts";
import { askerOf } from "./asker.ts";
import { failureOf } from "./failure.ts";
import type { ServerInfo } from "./info.ts";
import { OPERATIONS } from "./operations.ts";
import {
  presentApproved,
  presentDeployment,
  presentEvent,
  presentHistory,
  presentLogLine,
  presentMaintenance,
  presentPlan,
  presentSeries,
  presentService,
  presentSwitched,
  presentToken,
  presentTrafficSet,
} from "./present.ts";
import { answerReport } from "./report-route.ts";
import { planQuestion, trafficWish, variablesOf } from "./question.ts";
import { sendStream, type StreamForm } from "./stream.ts";

/** Everything that the calls need. `closing` aborts when the server is to end. */
export interface Parts {
  readonly control: Control;
  readonly info: ServerInfo;
  readonly closing: AbortSignal;
}

type Api = ReturnType<typeof typed>;
function typed(app: FastifyInstance) {
  return app.withTypeProvider<ZodTypeProvider>();
}

function at<N extends RouteName>(
  name: N,
): { method: (typeof ROUTES)[N]["method"]; url: string; schema: (typeof OPERATIONS)[N] } {
  return { method: ROUTES[name].method, url: ROUTES[name].path, schema: OPERATIONS[name] };
}

/** Every call of the API: one line each into {@link Control}. */
export function registerRoutes(app: FastifyInstance, parts: Parts): void {
  const api = typed(app);
  readings(api, parts);
  acts(api, parts);
  decisions(api, parts);
  environments(api, parts);
  modes(api, parts);
  tokens(api, parts);
  streams(api, parts);
  upkeep(api, app, parts);
}

function readings(api: Api, { control, info }: Parts): void {
  api.route({
    ...at("status"),
    handler: async (request, reply) => {
      const [services, listeners] = await Promise.all([control.status(goneSignal(reply)), info.listeners()]);
      const told = services.filter(({ service }) => request.token === null || covers(request.token, service));
      return {
        version: info.version,
        listeners: [...listeners],
        permissions: PERMISSIONS.filter((one) => request.token === null || grants(request.token.role, one)),
        services: told.map(presentService),
      };
    },
  });
  api.route({
    ...at("service"),
    handler: async ({ params }, reply) =>
      presentService(await control.serviceStatus(params.service, goneSignal(reply))),
  });
  api.route({
    ...at("plan"),
    handler: async ({ params, body }, reply) =>
      presentPlan(await control.plan(planQuestion(params.service, body, variablesOf(body, info)), goneSignal(reply))),
  });
  api.route({
    ...at("deployment"),
    handler: async ({ params }) => presentDeployment(await control.deployment(params.deployment)),
  });
  api.route({
    ...at("report"),
    handler: async (request, reply) =>
      answerReport(control, request, reply, {
        deployment: request.params.deployment,
        format: request.query.format,
      }),
  });
  api.route({
    ...at("series"),
    handler: async ({ params }) => presentSeries(recordedTraffic(await control.record(params.deployment))),
  });
  api.route({
    ...at("history"),
    handler: async ({ params, query }) => presentHistory(await control.history(params.service, query.limit)),
  });
}

/** What a person does to one environment. */
function environments(api: Api, { control, info }: Parts): void {
  api.route({
    ...at("startEnvironment"),
    handler: async (request, reply) =>
      control.startEnvironment({
        ...askerOf(request, request.body, info),
        ...request.params,
        signal: goneSignal(reply),
      }),
  });
  api.route({
    ...at("stopEnvironment"),
    handler: async (request, reply) =>
      control.stopEnvironment({
        ...askerOf(request, request.body, info),
        ...request.params,
        signal: goneSignal(reply),
      }),
  });
  api.route({
    ...at("scaleEnvironment"),
    handler: async (request, reply) => {
      const asked = { ...askerOf(request, request.body, info), ...request.params, signal: goneSignal(reply) };
      return control.scaleEnvironment({ ...asked, count: request.body.count });
    },
  });
  api.route({
    ...at("retireEnvironment"),
    handler: async (request, reply) =>
      control.retireEnvironment({
        ...askerOf(request, request.body, info),
        ...request.params,
        signal: goneSignal(reply),
      }),
  });
}

/** What a person says to a deployment that waits or holds, and to the split. */
function decisions(api: Api, { control, info }: Parts): void {
  api.route({
    ...at("approve"),
    handler: async (request) =>
      presentApproved(await control.approve(request.params.deployment, askerOf(request, request.body, info))),
  });
  api.route({
    ...at("resume"),
    handler: async (request, reply) => {
      const { deployment } = request.params;
      const asked = { ...askerOf(request, request.body, info), drift: request.body.drift ?? null };
      await control.resume(deployment, asked, goneSignal(reply));
      return presentDeployment(await control.deployment(deployment));
    },
  });
  api.route({
    ...at("traffic"),
    handler: async (request, reply) => {
      const { force } = request.body;
      const asked = { ...askerOf(request, request.body, info), wish: trafficWish(request.body), force };
      return presentTrafficSet(await control.traffic(request.params.service, asked, goneSignal(reply)));
    },
  });
}

function acts(api: Api, { control, info }: Parts): void {
  api.route({
    ...at("deploy"),
    handler: async (request, reply) => {
      const { version, supersede } = request.body;
      const asked = {
        ...askerOf(request, request.body, info),
        version,
        supersede,
        variables: variablesOf(request.body, info),
      };
      const { id } = await control.deploy(request.params.service, asked, goneSignal(reply));
      return reply.code(202).send({ id });
    },
  });
  api.route({
    ...at("abort"),
    handler: async (request, reply) => {
      const { deployment } = request.params;
      await control.abort(deployment, askerOf(request, request.body, info), goneSignal(reply));
      return presentDeployment(await control.deployment(deployment));
    },
  });
  api.route({
    ...at("switch"),
    handler: async (request, reply) => {
      const { to, force } = request.body;
      const asked = { ...askerOf(request, request.body, info), to, force };
      return presentSwitched(await control.switch(request.params.service, asked, goneSignal(reply)));
    },
  });
  api.route({
    ...at("rollback"),
    handler: async (request, reply) =>
      presentSwitched(
        await control.rollback(request.params.service, askerOf(request, request.body, info), goneSignal(reply)),
      ),
  });
}

function modes(api: Api, { control, info }: Parts): void {
  api.route({
    ...at("maintenance"),
    handler: async (request) => {
      const { mode, seconds, endsIn, close } = request.body;
      const { by, reason } = askerOf(request, request.body, info);
      const longestMs = seconds === undefined ? null : seconds * 1_000;
      const asked = { by, reason, mode, longestMs, endsIn: endsIn ?? null, close };
      return presentMaintenance(await control.maintenance(request.params.service, asked));
    },
  });
}

/** Who may come in over TCP. */
function tokens(api: Api, { info }: Parts): void {
  api.route({
    ...at("tokens"),
    handler: async () => ({ tokens: info.tokens.list().map(presentToken), api: await info.reach() }),
  });
  api.route({
    ...at("createToken"),
    handler: async (request, reply) => {
      const { name, role, services, expiresInSeconds } = request.body;
      const { by, reason } = askerOf(request, request.body, info);
      const lastsMs = expiresInSeconds === undefined ? null : expiresInSeconds * 1_000;
      const made = await info.tokens.create({ name, role, services: services ?? null, lastsMs, by, reason });
      reply.header("cache-control", "no-store");
      return { token: presentToken(made.token), secret: made.secret, api: await info.reach() };
    },
  });
  api.route({
    ...at("revokeToken"),
    handler: async (request) => ({
      token: presentToken(await info.tokens.revoke(request.params.token, askerOf(request, request.body, info))),
    }),
  });
}

/** Events that whoever asks may know of. */
async function* toldTo(token: Token | null, events: AsyncIterable<TealEvent>): AsyncGenerator<TealEvent> {
  for await (const event of events) if (token === null || covers(token, event.service)) yield event;
}

function streams(api: Api, { control, info, closing }: Parts): void {
  const heartbeatMs = info.heartbeatMs ?? 15_000;
  const send = async <T>(
    request: FastifyRequest,
    reply: FastifyReply,
    open: (signal: AbortSignal) => AsyncIterable<T>,
    form: StreamForm<T>,
  ) => {
    const ended = request.tokenEnded === null ? [] : [request.tokenEnded];
    const signal = AbortSignal.any([goneSignal(reply), closing, ...ended]);
    await sendStream(reply, open(signal), form, signal, (thrown) => {
      if (!signal.aborted)
        info.report?.(failureOf(thrown, request.id), { id: request.id, method: request.method, url: request.url });
    });
  };
  api.route({
    ...at("events"),
    handler: async (request, reply) => {
      const { follow } = request.query;
      const after = Number(
        request.headers["last-event-id"] ?? request.query.after ?? (follow ? await control.lastSeq() : 0),
      );
      const { token } = request;
      const open = (signal: AbortSignal) => toldTo(token, control.events(after, follow, signal));
      await send(request, reply, open, {
        contentType: "text/event-stream; charset=utf-8",
        encode: (event) =>
          `id: ${String(event.seq)}\nevent: ${event.type}\ndata: ${JSON.stringify(presentEvent(event))}\n\n`,
        opening: ": open\n\n",
        heartbeat: ": still here\n\n",
        heartbeatMs,
        // Who deploys listens first: each deployment would wait for it.
        firstWithinMs: 0,
      });
      return reply;
    },
  });
  api.route({
    ...at("logs"),
    handler: async (request, reply) => {
      const { environment = null, lines, follow } = request.query;
      await send(
        request,
        reply,
        (signal) => control.logs(request.params.service, { environment, lines, follow, signal }),
        {
          contentType: "application/x-ndjson; charset=utf-8",
          encode: (line) => `${JSON.stringify(presentLogLine(line))}\n`,
          opening: "",
          heartbeat: "\n",
          heartbeatMs,
          // An environment that is not there is a problem and no empty stream.
          firstWithinMs: 200,
        },
      );
      return reply;
    },
  });
}

function upkeep(api: Api, app: FastifyInstance, { info }: Parts): void {
  // The swagger plugin keeps the document once it is made: at the first call, not at the start.
  api.route({ ...at("openapi"), handler: async () => ({ ...app.swagger() }) });
  api.route({ ...at("health"), handler: async () => ({ status: "ok", version: info.version }) as const });
  api.route({
    ...at("metrics"),
    handler: async (_request, reply) =>
      reply.type("text/plain; version=0.0.4; charset=utf-8").send(await info.metrics()),
  });
}

/** Aborts when the client has gone before its answer was complete. */
function goneSignal(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once("close", () => {
    if (!reply.raw.writableFinished) gone.abort(new TealError("aborted", "the client has gone"));
  });
  return gone.signal;
}
