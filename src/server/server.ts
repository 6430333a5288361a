import swagger, { type SwaggerTransformObject } from "@fastify/swagger";
import { fastify, type FastifyInstance, type FastifyServerOptions } from "fastify";
import {
  jsonSchemaTransform,
  jsonSchemaTransformObject,
  serializerCompiler,
  validatorCompiler,
} from "fastify-type-provider-zod";
import { ROUTES } from "../api/routes.ts";
import type { Control } from "../engine/control.ts";
import { TealError } from "../model/error.ts";
import { guardAccess } from "./access.ts";
import { answerFailures } from "./failure.ts";
import type { ServerInfo } from "./info.ts";
import { registerRoutes } from "./routes.ts";

const LARGEST_BODY = 1024 * 1024;

/**
 * Given at the start, so that Fastify does not load compilers of its own (ajv, fast-json-stringify): 20 ms and a MiB or two.
 * Its types know those two alone.
 */
const COMPILERS = {
  buildValidator: () => validatorCompiler,
  buildSerializer: () => serializerCompiler,
} as unknown as NonNullable<NonNullable<FastifyServerOptions["schemaController"]>["compilersFactory"]>;

/** The HTTP API over a {@link Control}. Not listening yet: {@link listenOnSocket}, or `inject` in tests. */
export function createServer(control: Control, info: ServerInfo): FastifyInstance {
  const app = fastify({
    bodyLimit: LARGEST_BODY,
    // Over TCP a client that sends slowly must not hold a connection for long.
    requestTimeout: 30_000,
    // A HEAD of an event stream would never end.
    exposeHeadRoutes: false,
    // Names have up to 128 characters, and escapes take three each.
    routerOptions: { maxParamLength: 384 },
    schemaController: { compilersFactory: COMPILERS },
  });
  const closing = new AbortController();
  app.addHook("preClose", async () => {
    closing.abort(new TealError("server-down", "the server is ending"));
  });
  // A call whose fields are all optional needs no body: `curl -X POST`.
  app.addHook("preValidation", async (request) => {
    if (request.method === "POST") request.body ??= {};
  });
  tellAnswered(app, info);
  answerFailures(app, info);
  guardAccess(app, control, info);
  app.register(swagger, {
    openapi: document(info.version),
    transform: jsonSchemaTransform,
    transformObject: answersOnly,
  });
  app.register(async (scope) => {
    registerRoutes(scope, { control, info, closing: closing.signal });
  });
  return app;
}

/** These last as long as somebody listens: no measure of the server. */
const STREAMS: ReadonlySet<string> = new Set([ROUTES.events.path, ROUTES.logs.path]);

function tellAnswered(app: FastifyInstance, info: ServerInfo): void {
  app.addHook("onResponse", async (request, reply) => {
    const route = request.routeOptions.url ?? "none";
    if (STREAMS.has(route)) return;
    const { elapsedTime, statusCode } = reply;
    // A method of a route that there is not is the client's own word: it would be a label without bounds.
    const method = route === "none" ? "none" : request.method;
    info.answered?.({ route, method, status: statusCode, tookMs: elapsedTime });
  });
}

/** Named schemas are answers alone; the transform names each a second time, as an input that no call takes. */
const answersOnly: SwaggerTransformObject = (given) => {
  const made = jsonSchemaTransformObject(given) as { components?: { schemas?: Record<string, unknown> } };
  const schemas = Object.entries(made.components?.schemas ?? {}).filter(([name]) => !name.endsWith("Input"));
  return { ...made, components: { ...made.components, schemas: Object.fromEntries(schemas) } } as ReturnType<
    typeof jsonSchemaTransformObject
  >;
};

function document(version: string) {
  return {
    components: {
      securitySchemes: {
        token: {
          type: "http" as const,
          scheme: "bearer",
          description: "Over TCP alone: a token of `teal token create`. The unix socket needs none.",
        },
      },
    },
    security: [{}, { token: [] }],
    openapi: "3.1.0",
    info: {
      title: "Teal",
      version,
      description:
        "Served on the unix socket `.teal/teal.sock`, and over TCP with a token. Times are milliseconds since the Unix epoch. Errors are problem+json (RFC 9457) with a stable `code`.",
    },
  };
}
