import { serviceOf } from "../service.ts";
import { SERVICE_ARGUMENT, type Verb } from "../verb.ts";
import { statusLines } from "../words/status.ts";

export const status: Verb = {
  name: "status",
  summary: "What is active, and where the traffic goes",
  details:
    "Also the deployment under way, whether rollback is safe now and why, what is to be retired when, and how it was delivered in the last 30 days: completed deploys, lead time from the commit, how many were taken back, and how long users were on those.",
  arguments: [SERVICE_ARGUMENT],
  options: [],
  examples: [
    { command: "teal status", about: "every service" },
    { command: "teal status --json | jq '.services[0].traffic'", about: "the split, for a script" },
  ],
  json: "{version, listeners, permissions, services: [{service, active, standby, traffic, generation, fence, rollback, environments, deployment, retirement, dora, maintenance}]}",
  async run(call) {
    const client = await call.client();
    const all = await client.status();
    const named = call.text("service");
    const answer = named === undefined ? all : { ...all, services: [await serviceOf(client, named)] };
    if (call.json) call.document(answer);
    else for (const line of statusLines(answer, call.io.clock.now(), call.style)) call.say(line);
    return 0;
  },
};
