import { TealError } from "../../model/error.ts";
import type { Goal } from "../../model/deployment.ts";
import type { Call } from "../call.ts";
import { serviceOf } from "../service.ts";
import { variablesFor } from "../variables.ts";
import { SERVICE_ARGUMENT, type Verb } from "../verb.ts";
import { planLines } from "../words/plan.ts";

const GOALS = ["deploy", "switch", "rollback", "retire"] as const satisfies readonly Goal[];

export const plan: Verb = {
  name: "plan",
  summary: "Print what a command would do; change nothing",
  details:
    "Each step with what it touches, how long it should take and how long it may take, and how long going back may take.",
  arguments: [{ name: "goal", required: true, description: "what for", choices: GOALS }, SERVICE_ARGUMENT],
  options: [
    { flags: "--version <version>", description: "version to ship, for deploy", value: "name" },
    { flags: "--to <environment>", description: "environment, for switch and retire", value: "name" },
  ],
  examples: [
    { command: "teal plan deploy --version v2", about: "steps, times, what changes in the configuration" },
    { command: "teal plan switch --to blue", about: "what a switch back to blue takes" },
    { command: "teal plan rollback web", about: "what a rollback of web takes now" },
  ],
  json: "{goal, service, from, to, steps: [{id, uses, title, touches, expectedSeconds, worstSeconds}], worstRollbackSeconds, warnings, reads, changes, releases: {from, to}}",
  async run(call) {
    const goal = GOALS.find((known) => known === call.text("goal")) ?? "deploy";
    checkOptions(call, goal);
    const version = call.text("version");
    const to = call.text("to");
    const client = await call.client();
    const { service } = await serviceOf(client, call.text("service"));
    const variables = goal === "deploy" ? await deployVariables(call) : undefined;
    const answer = await client.plan(service, {
      goal,
      ...(version === undefined ? {} : { version }),
      ...(to === undefined ? {} : { to }),
      ...(variables === undefined ? {} : { variables }),
    });
    if (call.json) call.document(answer);
    for (const line of planLines(answer, call.style, call.io.stdout.terminal ? call.columns : Infinity)) call.say(line);
    return 0;
  },
};

function checkOptions(call: Call, goal: (typeof GOALS)[number]): void {
  if (goal === "deploy" && call.text("version") === undefined)
    throw new TealError("usage", "plan deploy needs --version V");
  if ((goal === "switch" || goal === "retire") && call.text("to") === undefined) {
    throw new TealError("usage", `plan ${goal} needs --to ENVIRONMENT`);
  }
}

/** Over TCP none are taken: the server has its own. */
async function deployVariables(call: Call): Promise<Record<string, string> | undefined> {
  if (call.url !== null) return undefined;
  const config = await call.parts.loadConfig(call.configFile(), call.io.env);
  return variablesFor(config.references, call.io.env);
}
