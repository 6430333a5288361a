import { confirmed, declined } from "../ask.ts";
import {
  CHANGED_JSON,
  ENVIRONMENT_ARGUMENT,
  environmentOf,
  LONGEST_MS,
  sayChanged,
  SERVICE_OPTION,
} from "../environment.ts";
import type { Verb } from "../verb.ts";

export const envStop: Verb = {
  name: "env stop",
  summary: "Stop an environment without traffic",
  details:
    "Its release stays, and it stays stopped, after a reboot too, until `teal env start`, a switch, a rollback or a deploy starts it. Refused (exit 6) while it has traffic, requests in flight, or a deployment under way needs it.",
  arguments: [ENVIRONMENT_ARGUMENT],
  options: [SERVICE_OPTION, { flags: "-y, --yes", description: "do not ask" }],
  examples: [
    { command: "teal env stop blue", about: "save its memory; a rollback then has to start it first" },
    { command: "teal env stop green --service web --yes --json", about: "for a script" },
  ],
  json: CHANGED_JSON,
  async run(call) {
    const client = await call.client();
    const target = await environmentOf(call, client);
    if (call.asks && !(await confirmed(`Stop ${target.environment} of ${target.service}?`))) return declined(call);
    const answer = await client.stopEnvironment(target, { reason: call.reason }, { timeoutMs: LONGEST_MS });
    return sayChanged(call, answer, "is stopped");
  },
};
