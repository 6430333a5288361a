import { TealError } from "../../model/error.ts";
import {
  CHANGED_JSON,
  ENVIRONMENT_ARGUMENT,
  environmentOf,
  LONGEST_MS,
  sayChanged,
  SERVICE_OPTION,
} from "../environment.ts";
import type { Verb } from "../verb.ts";

export const envScale: Verb = {
  name: "env scale",
  summary: "Run another number of instances of an environment",
  details:
    "Holds until the next deploy to it, restarts included. Returns when all are healthy. More is possible at any time; fewer is refused (exit 6) while it has traffic, and both while a deployment under way needs it.",
  arguments: [ENVIRONMENT_ARGUMENT],
  options: [
    SERVICE_OPTION,
    { flags: "--count <count>", description: "instances, 1 or more", value: "count", required: true },
  ],
  examples: [
    { command: "teal env scale green --count 4", about: "four instances, until the next deploy" },
    { command: "teal env scale blue --service web --count 1 --json", about: "for a script" },
  ],
  json: CHANGED_JSON,
  async run(call) {
    const client = await call.client();
    const target = await environmentOf(call, client);
    const count = call.number("count") ?? 0;
    if (count < 1) throw new TealError("usage", "--count must be 1 or more", { remedy: "`teal env stop` runs none." });
    const answer = await client.scaleEnvironment(target, { count, reason: call.reason }, { timeoutMs: LONGEST_MS });
    return sayChanged(call, answer, `runs ${String(count)} instance${count === 1 ? "" : "s"}`);
  },
};
