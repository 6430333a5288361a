import { TealError } from "../../model/error.ts";
import { runDeployment } from "../deployment.ts";
import { serviceOf } from "../service.ts";
import { SERVICE_ARGUMENT, type Verb } from "../verb.ts";

export const abort: Verb = {
  name: "abort",
  summary: "Take back the deployment that is under way",
  details: "The traffic goes back first, at once; the clean-up follows.",
  arguments: [SERVICE_ARGUMENT],
  options: [{ flags: "--no-wait", description: "return when the traffic is back, without waiting for the clean-up" }],
  examples: [
    { command: "teal abort", about: "take it back, and wait for the clean-up" },
    { command: "teal abort web --no-wait --reason 'wrong version'", about: "return as soon as the traffic is back" },
  ],
  json: "the deployment as it ended",
  async run(call) {
    const client = await call.client();
    const { service, deployment } = await serviceOf(client, call.text("service"));
    if (deployment === null) throw new TealError("nothing-to-abort", `no deployment of ${service} is under way`);
    return runDeployment(call, client, {
      start: (signal) => client.abort(deployment.id, { reason: call.reason }, { signal }),
      wanted: ["aborted"],
      wait: call.flag("wait"),
    });
  },
};
