import { TealError } from "../../model/error.ts";
import type { DriftChoice } from "../../model/hold.ts";
import type { Call } from "../call.ts";
import { serviceOf } from "../service.ts";
import { SERVICE_ARGUMENT, type Verb } from "../verb.ts";
import { split } from "../words/weights.ts";

export const resume: Verb = {
  name: "resume",
  summary: "Let a deployment that holds go on",
  details:
    "A guardrail with `hold`: the deployment goes on all the same. Drift (the live split is not the one that Teal set): say " +
    "what becomes of the live split, also when no deployment is under way. Frozen (going back would be worse): tries again to " +
    "go back, and is refused (exit 6) while that would still be worse. `teal status` shows what holds, and why.",
  arguments: [SERVICE_ARGUMENT],
  options: [
    { flags: "--adopt", description: "drift: take the live split as Teal's own" },
    { flags: "--overwrite", description: "drift: set the split that Teal has recorded" },
  ],
  examples: [
    { command: "teal resume --reason 'known slow start'", about: "go on in spite of a guardrail that holds" },
    { command: "teal resume web --overwrite", about: "what somebody else has set at the proxy does not count" },
  ],
  json: "the deployment; without one under way, {service, weights, generation, receipt}",
  async run(call) {
    const client = await call.client();
    const { service, deployment } = await serviceOf(client, call.text("service"), "deploy");
    const drift = driftChoice(call);
    if (deployment !== null) {
      const { reason } = call;
      const resumed = await client.resume(deployment.id, { reason, ...(drift === null ? {} : { drift }) });
      if (call.json) call.document(resumed);
      call.say(`${call.style.good("✓")} ${resumed.id} of ${service} goes on. \`teal events --follow\` follows it.`);
      return 0;
    }
    if (drift === null) throw new TealError("nothing-to-resume", `no deployment of ${service} is under way`);
    const set = await client.traffic(service, { drift, reason: call.reason });
    if (call.json) call.document(set);
    call.say(`${call.style.good("✓")} The split of ${service} is ${split(set.weights)}, as recorded.`);
    return 0;
  },
};

function driftChoice(call: Call): DriftChoice | null {
  const [adopt, overwrite] = [call.flag("adopt"), call.flag("overwrite")];
  if (adopt && overwrite) throw new TealError("usage", "--adopt and --overwrite cannot both be");
  if (adopt) return "adopt";
  return overwrite ? "overwrite" : null;
}
