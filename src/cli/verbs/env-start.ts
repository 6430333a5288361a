import {
  CHANGED_JSON,
  ENVIRONMENT_ARGUMENT,
  environmentOf,
  LONGEST_MS,
  sayChanged,
  SERVICE_OPTION,
} from "../environment.ts";
import type { Verb } from "../verb.ts";

export const envStart: Verb = {
  name: "env start",
  summary: "Start a stopped environment, and wait until it is healthy",
  details:
    "It gets no traffic by this: that is `teal switch` or `teal traffic`. Refused (exit 6) without a release, and while a deployment under way needs it.",
  arguments: [ENVIRONMENT_ARGUMENT],
  options: [SERVICE_OPTION],
  examples: [
    { command: "teal env start blue", about: "make it warm again, so that a rollback takes an instant" },
    { command: "teal env start green --service web --reason 'before the sale'", about: "with a word for the history" },
  ],
  json: CHANGED_JSON,
  async run(call) {
    const client = await call.client();
    const target = await environmentOf(call, client);
    const answer = await client.startEnvironment(target, { reason: call.reason }, { timeoutMs: LONGEST_MS });
    return sayChanged(call, answer, "is started");
  },
};
