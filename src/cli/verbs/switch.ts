import { confirmed, declined } from "../ask.ts";
import { runDeployment } from "../deployment.ts";
import { serviceOf } from "../service.ts";
import { SERVICE_ARGUMENT, type Verb } from "../verb.ts";
import { planLines } from "../words/plan.ts";

/** As long as a cold environment may take to start and become healthy, and its old one to drain. */
const LONGEST_SWITCH_MS = 15 * 60_000;

export const switchTo: Verb = {
  name: "switch",
  summary: "Give an environment all the traffic, at once",
  details:
    "Refused (exit 6) for an environment without a healthy instance, unless --force. On a terminal the plan is shown and confirmed.",
  arguments: [SERVICE_ARGUMENT],
  options: [
    {
      flags: "--to <environment>",
      description: "environment that is to have the traffic",
      value: "name",
      required: true,
    },
    { flags: "--force", description: "even when it is not healthy; recorded in the history" },
    { flags: "-y, --yes", description: "do not ask" },
  ],
  examples: [
    { command: "teal switch --to blue", about: "all traffic to blue" },
    { command: "teal switch web --to green --yes --json", about: "for a script" },
  ],
  json: "the deployment as it ended, with its receipts",
  async run(call) {
    const client = await call.client();
    const { service } = await serviceOf(client, call.text("service"), "deploy");
    const to = call.text("to") ?? "";
    if (call.asks) {
      const plan = await client.plan(service, { goal: "switch", to });
      for (const line of planLines(plan, call.style, call.columns)) call.say(line);
      if (!(await confirmed(`Switch ${service} to ${to}?`))) return declined(call);
      call.say();
    }
    const request = { to, force: call.flag("force"), reason: call.reason };
    const idempotencyKey = call.io.uniqueKey();
    return runDeployment(call, client, {
      start: (signal) => client.switch(service, request, { idempotencyKey, signal, timeoutMs: LONGEST_SWITCH_MS }),
      wait: true,
    });
  },
};
