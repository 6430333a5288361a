import { z } from "zod";
import { STOP_SIGNALS } from "../model/service.ts";
import { refuse, scalar, shown } from "./decode.ts";
import { environmentFile } from "./folder.ts";
import type { Loading } from "./loading.ts";
import { map } from "./map.ts";
import { type Finding, rule } from "./rule.ts";
import { duration } from "./quantities.ts";
import { command, integer, oneOf } from "./texts.ts";
import { environmentValue } from "./value.ts";

/** POSIX.1-2017, section 8.1: names that every shell can use. */
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** What an instance is told by Teal itself. */
const OURS = /^(?:PORT|HOST|TEAL_.*)$/;

const user = scalar({ title: "user", type: ["string", "integer"] }, (value) => {
  if (typeof value === "number" && Number.isInteger(value) && value >= 0) return String(value);
  if (typeof value === "string" && /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}$/.test(value)) return value;
  return refuse(`is ${shown(value)}, neither the name nor the number of a user`);
});

/** `environment`: how one complete copy of the service runs. */
export function environmentSection(loading: Loading) {
  const [firstDriver = ""] = loading.environmentDrivers;
  return map({
    driver: oneOf(loading.environmentDrivers, "driver")
      .meta({ description: "What runs the instances." })
      .prefault(firstDriver),
    command: command.meta({
      description:
        "Starts one instance, in the release's folder. It must serve HTTP on `$HOST:$PORT` and stay in the foreground. A text runs as `/bin/sh -c \"exec …\"`, so `$VAR` is the shell's; a list runs as it is, without a shell. `${env:X}` and `${file:P}` are not substituted here.",
      examples: ["node server.js", ["python3", "-m", "gunicorn", "app:app"]],
    }),
    count: integer(1, 1000)
      .meta({ description: "Instances in each environment. With 2 or more, the crash of one is not an outage." })
      .prefault(1),
    env: z
      .record(z.string(), environmentValue(loading))
      .check(rule<Record<string, unknown>>([], variableNames))
      .meta({
        description:
          "Environment variables of an instance. It gets these, `PATH`, `HOME`, `USER`, `LANG`, `TZ`, `TMPDIR`, and what Teal sets: `PORT`, `HOST`, `TEAL_SERVICE`, `TEAL_ENVIRONMENT`, `TEAL_VERSION`, `TEAL_INSTANCE`; nothing else. Numbers, `true` and `false` are passed as they are written.",
        examples: [{ NODE_ENV: "production", DB_URL: "${env:DB_URL}" }],
        propertyNames: { pattern: VARIABLE.source },
      })
      .prefault({}),
    envFiles: z
      .array(environmentFile(loading))
      .meta({
        description: "Files of `NAME=value` lines. A later file wins over an earlier one, and `env` over all.",
        examples: [["./prod.env"]],
      })
      .prefault([]),
    stop: stopSection,
    user: user
      .meta({
        description: "Runs the instances as this user (a name or a number); without it, as Teal's own.",
        examples: ["www-data"],
      })
      .optional(),
  })
    .transform((written) => ({ ...written, user: written.user ?? null }))
    .meta({ description: "How an environment, one complete running copy of the service, is run." });
}

const stopSection = map({
  signal: oneOf(STOP_SIGNALS, "signal")
    .meta({ description: "Asks an instance to end, once it has no requests any more." })
    .prefault("SIGTERM"),
  timeout: duration("0", "1d").meta({ description: "Time for that; then SIGKILL." }).prefault("30s"),
})
  .transform(({ signal, timeout }) => ({ signal, timeoutMs: timeout }))
  .meta({ description: "How an instance is ended." })
  .prefault({});

function variableNames(env: Record<string, unknown>): Finding[] {
  return Object.keys(env).flatMap((name) => {
    if (!VARIABLE.test(name))
      return [
        { at: [name], message: "is not a name for a variable: letters, digits and _, not beginning with a digit" },
      ];
    return OURS.test(name) ? [{ at: [name], message: "is set by Teal itself, for each instance" }] : [];
  });
}
