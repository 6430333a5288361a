import { confirmed, declined } from "../ask.ts";
import { runDeployment } from "../deployment.ts";
import type { TealClient } from "../../sdk/client.ts";
import type { Call } from "../call.ts";
import { chooseService, serviceOf } from "../service.ts";
import { variablesFor } from "../variables.ts";
import { SERVICE_ARGUMENT, type Verb } from "../verb.ts";
import { planLines } from "../words/plan.ts";

export const deploy: Verb = {
  name: "deploy",
  summary: "Ship a version: prove it, shift the traffic to it",
  details:
    "The new version starts beside the old one and gets traffic only when it is healthy and validated. Reads teal.yaml first, so that its problems are told before anything happens. On a terminal the plan is shown and " +
    "confirmed; in a pipe it goes ahead. Returns when the deployment has ended, which is when its bake is done. With `deploy.approval` a terminal asks when it comes to that; a pipe waits. Ctrl-C leaves " +
    "it going and exits 0.",
  arguments: [SERVICE_ARGUMENT],
  options: [
    {
      flags: "--version <version>",
      description: "version to ship; for git a tag, branch or commit",
      value: "name",
      required: true,
    },
    { flags: "-y, --yes", description: "do not ask" },
    { flags: "--no-wait", description: "return as soon as it is accepted, or waits for an approval (exit 5)" },
    {
      flags: "--supersede",
      description: "take back a deployment that is under way, or end its bake, and then go ahead",
    },
  ],
  examples: [
    { command: "teal deploy --version v2", about: "ship v2 of the only service" },
    {
      command: "teal deploy web --version v2 --yes --reason 'new checkout'",
      about: "without being asked, with a word for the history",
    },
    { command: "teal deploy --version v2 --json | jq .state", about: "for a pipeline" },
  ],
  json: "the deployment as it ended: {id, service, goal, state, from, to, version, cause, steps, receipts, …}",
  async run(call) {
    const version = call.text("version") ?? "";
    const { client, service, variables } = await target(call);
    if (call.asks) {
      const plan = await client.plan(service, { goal: "deploy", version, variables });
      for (const line of planLines(plan, call.style, call.columns)) call.say(line);
      if (!(await confirmed(`Deploy ${version}?`))) return declined(call);
      call.say();
    }
    const request = { version, supersede: call.flag("supersede"), reason: call.reason, variables };
    const key = call.io.uniqueKey();
    return runDeployment(call, client, {
      start: (signal) => client.deploy(service, request, key, { signal }),
      wait: call.flag("wait"),
    });
  },
};

interface Target {
  readonly client: TealClient;
  readonly service: string;
  /** Undefined over TCP, which takes none. */
  readonly variables: Readonly<Record<string, string>> | undefined;
}

/** On another machine its own teal.yaml counts, and this one's variables are nobody's business there. */
async function target(call: Call): Promise<Target> {
  const named = call.text("service");
  if (call.url !== null) {
    const client = await call.client();
    return { client, service: (await serviceOf(client, named)).service, variables: undefined };
  }
  const file = call.configFile();
  const config = await call.parts.loadConfig(file, call.io.env);
  const service = chooseService(named, Object.keys(config.services));
  const variables = variablesFor(config.references, call.io.env);
  return { client: await call.parts.client(file), service, variables };
}
