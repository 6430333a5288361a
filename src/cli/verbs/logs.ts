import { TealError } from "../../model/error.ts";
import type { LogLineAnswer, ServiceStatusAnswer, TealClient } from "../../sdk/client.ts";
import { serviceOf } from "../service.ts";
import type { Style } from "../style.ts";
import { untilStopped } from "../until-stopped.ts";
import { SERVICE_ARGUMENT, type Verb } from "../verb.ts";
import { timestamp } from "../words/duration.ts";

export const logs: Verb = {
  name: "logs",
  summary: "What the instances print",
  details:
    "Where there is one service, the first word may be the environment: `teal logs green`. Ctrl-C ends it with exit 0.",
  arguments: [SERVICE_ARGUMENT, { name: "env", required: false, description: "only this environment" }],
  options: [
    { flags: "-f, --follow", description: "go on as lines come" },
    { flags: "-n, --lines <count>", description: "the last so many lines first", value: "count", otherwise: "100" },
  ],
  examples: [
    { command: "teal logs green --follow", about: "what green prints, as it comes" },
    { command: "teal logs web blue --lines 20", about: "the last 20 lines of web's blue" },
  ],
  json: "a stream, one {at, instance, text} a line",
  run(call) {
    return untilStopped(call, async (signal) => {
      const client = await call.client();
      const { service, environment } = await target(client, call.text("service"), call.text("env"));
      const stream = client.logs(service, {
        lines: call.number("lines") ?? 100,
        follow: call.flag("follow"),
        signal,
        ...(environment === undefined ? {} : { environment }),
      });
      for await (const line of stream) {
        if (call.json) call.record(line);
        else call.say(logRow(line, call.style));
      }
    });
  },
};

/** `teal logs green` means the environment where that is clear. */
async function target(
  client: TealClient,
  first: string | undefined,
  second: string | undefined,
): Promise<{ readonly service: string; readonly environment?: string }> {
  const { services } = await client.status();
  const [only, ...others] = services;
  if (
    first !== undefined &&
    second === undefined &&
    only !== undefined &&
    others.length === 0 &&
    first !== only.service
  ) {
    return { service: only.service, environment: known(only, first) };
  }
  const service = await serviceOf(client, first);
  return second === undefined
    ? { service: service.service }
    : { service: service.service, environment: known(service, second) };
}

function known({ service, environments }: ServiceStatusAnswer, name: string): string {
  if (environments.some((environment) => environment.name === name)) return name;
  const names = environments.map((environment) => environment.name).join(", ");
  throw new TealError(
    "environment-unknown",
    `${service} has no environment ${name}${names === "" ? "" : `; it has ${names}`}`,
  );
}

function logRow({ at, instance, text }: LogLineAnswer, style: Style): string {
  const [, environment = instance, , ordinal = "0"] = instance.split("/");
  return `${style.faint(timestamp(at))} ${style.environment(environment, `${environment}/${ordinal}`)} ${text}`;
}
