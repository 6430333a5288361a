import type { FastifyInstance, FastifyReply } from "fastify";
import { hasZodFastifySchemaValidationErrors, isResponseSerializationError } from "fastify-type-provider-zod";
import { type Problem, TealError, toTealError } from "../model/error.ts";
import type { ServerInfo } from "./info.ts";
import { presentError } from "./present.ts";

/** Anything that a call ended with, as the error that the client gets. What we did not foresee is logged, not shown. */
export function failureOf(thrown: unknown, requestId: string): TealError {
  if (hasZodFastifySchemaValidationErrors(thrown))
    return invalid(thrown.validation, thrown.validationContext ?? "request");
  const known = toTealError(thrown);
  if (known.code !== "internal") return known;
  if (isClientFault(thrown)) return new TealError("request-invalid", thrown.message, { cause: thrown });
  const what =
    thrown instanceof Error && isResponseSerializationError(thrown)
      ? "the answer was not in the form promised"
      : "the call failed";
  return new TealError("internal", `${what}; the server's log has more under request ${requestId}`, { cause: thrown });
}

interface Issue {
  readonly instancePath: string;
  readonly message?: string;
}

function invalid(issues: readonly Issue[], part: string): TealError {
  const where = part === "querystring" ? "query" : part;
  const problems: Problem[] = issues.map(({ instancePath, message }) => ({
    path: [where, ...instancePath.split("/").filter((name) => name !== "")].join("."),
    line: null,
    message: message ?? "not valid",
  }));
  const said = problems.map((problem) => `${problem.path}: ${problem.message}`).join("; ");
  return new TealError("request-invalid", said, { problems });
}

/** Fastify's own refusals: a body that is too large or not JSON, a type that it does not take. */
function isClientFault(thrown: unknown): thrown is Error {
  if (!(thrown instanceof Error) || !("statusCode" in thrown)) return false;
  return typeof thrown.statusCode === "number" && thrown.statusCode >= 400 && thrown.statusCode < 500;
}

function sendFailure(reply: FastifyReply, error: TealError): FastifyReply {
  const answer = presentError(error);
  return reply.code(answer.status).type("application/problem+json").send(JSON.stringify(answer));
}

/** Every failure leaves as problem+json. */
export function answerFailures(app: FastifyInstance, info: ServerInfo): void {
  app.setErrorHandler((thrown, request, reply) => {
    const error = failureOf(thrown, request.id);
    if (error.status >= 500) info.report?.(error, { id: request.id, method: request.method, url: request.url });
    return sendFailure(reply, error);
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split("?")[0] ?? "";
    return sendFailure(reply, new TealError("not-found", `${request.method} ${path} is not a call of this API`));
  });
}
