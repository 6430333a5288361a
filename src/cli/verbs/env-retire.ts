import { confirmed, declined } from "../ask.ts";
import { runDeployment } from "../deployment.ts";
import { CHANGED_JSON, ENVIRONMENT_ARGUMENT, environmentOf, sayChanged, SERVICE_OPTION } from "../environment.ts";
import type { Verb } from "../verb.ts";

export const envRetire: Verb = {
  name: "env retire",
  summary: "Destroy an environment without traffic",
  details:
    "As the scheduled retirement does, now. Going back to its release then means starting it again from its stored files. Refused (exit 6) while it has traffic or a deployment is under way.",
  arguments: [ENVIRONMENT_ARGUMENT],
  options: [SERVICE_OPTION, { flags: "-y, --yes", description: "do not ask" }],
  examples: [
    { command: "teal env retire blue", about: "now, and not in 24 h" },
    {
      command: "teal env retire blue --service web --yes --reason 'v1 is unsafe'",
      about: "with a word for the history",
    },
  ],
  json: `the deployment as it ended; ${CHANGED_JSON} when there was nothing to retire`,
  async run(call) {
    const client = await call.client();
    const target = await environmentOf(call, client);
    if (
      call.asks &&
      !(await confirmed(`Retire ${target.environment} of ${target.service}? Its instances are gone then.`))
    )
      return declined(call);
    const answer = await client.retireEnvironment(target, { reason: call.reason });
    const { deployment } = answer;
    if (deployment === null) return sayChanged(call, answer, "is retired");
    return runDeployment(call, client, { start: () => Promise.resolve({ id: deployment }), wait: true });
  },
};
