import { confirmed, declined } from "../ask.ts";
import { runDeployment } from "../deployment.ts";
import { serviceOf } from "../service.ts";
import { SERVICE_ARGUMENT, type Verb } from "../verb.ts";
import { fromTo, planLines } from "../words/plan.ts";

/** A release that was retired is unpacked, started and validated anew first. */
const LONGEST_ROLLBACK_MS = 30 * 60_000;

export const rollback: Verb = {
  name: "rollback",
  summary: "Go back to the release before",
  details:
    "With the configuration that it had. The question names both releases; when the newest deployment was taken back by itself, the plan says so, as its release is not what this leaves. After a rollback that is the release that was left: a second one undoes the first. While a deployment is under way this aborts it; a frozen one is refused (exit 6). Exit 6 when there is nothing to go back to.",
  arguments: [SERVICE_ARGUMENT],
  options: [{ flags: "-y, --yes", description: "do not ask" }],
  examples: [
    { command: "teal rollback", about: "back to the release before" },
    {
      command: "teal rollback web --yes --reason 'orders fail'",
      about: "without being asked, with a word for the history",
    },
  ],
  json: "the deployment as it ended, with its receipts",
  async run(call) {
    const client = await call.client();
    const { service, deployment } = await serviceOf(client, call.text("service"), "deploy");
    // Nothing stands between a person and the end of a bad deployment: only a rollback in calm is asked about.
    if (call.asks && deployment === null) {
      const plan = await client.plan(service, { goal: "rollback" });
      for (const line of planLines(plan, call.style, call.columns)) call.say(line);
      if (!(await confirmed(`Roll ${service} back${fromTo(plan)}?`))) return declined(call);
      call.say();
    }
    const idempotencyKey = call.io.uniqueKey();
    return runDeployment(call, client, {
      start: (signal) =>
        client.rollback(service, { reason: call.reason }, { idempotencyKey, signal, timeoutMs: LONGEST_ROLLBACK_MS }),
      wanted: ["completed", "aborted"],
      wait: true,
    });
  },
};
