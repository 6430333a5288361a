import { sameWeights, type Weights } from "../../model/traffic.ts";
import type { ServiceStatusAnswer } from "../../sdk/client.ts";
import { confirmed, declined } from "../ask.ts";
import type { Call } from "../call.ts";
import { serviceOf } from "../service.ts";
import { SERVICE_ARGUMENT, type Verb } from "../verb.ts";
import { receiptLine } from "../words/receipt.ts";
import { table } from "../words/table.ts";
import { parseSplit, split } from "../words/weights.ts";

export const traffic: Verb = {
  name: "traffic",
  summary: "Show the split, or set it by hand",
  details:
    "Shows the split that Teal has recorded beside the one that the proxy has. --set is written to the history with who and " +
    "why. It is refused (exit 6) for an environment that would get more traffic without a healthy instance, and while a " +
    "deployment is under way that does not hold; --force does both, and that is recorded too.",
  arguments: [SERVICE_ARGUMENT],
  options: [
    { flags: "--set <weights>", description: "percent per environment, as blue=90,green=10; they sum to 100" },
    { flags: "--force", description: "without a healthy instance, or in the middle of a deployment" },
    { flags: "-y, --yes", description: "do not ask" },
  ],
  examples: [
    { command: "teal traffic", about: "what is recorded, and what the proxy has" },
    { command: "teal traffic web --set blue=90,green=10 --reason 'try it'", about: "a tenth to green" },
    { command: "teal traffic --set blue=100 --force --yes", about: "all to blue, whatever its health" },
  ],
  json: "{service, desired, observed, drift, generation, fence}; with --set {service, weights, generation, receipt}",
  async run(call) {
    const wanted = call.text("set");
    const weights = wanted === undefined ? null : parseSplit(wanted);
    const client = await call.client();
    const found = await serviceOf(client, call.text("service"), weights === null ? "read" : "deploy");
    if (weights === null) return show(call, found);
    const { service } = found;
    if (call.asks && !(await confirmed(question(found, weights)))) return declined(call);
    const set = await client.traffic(service, { weights, force: call.flag("force"), reason: call.reason });
    if (call.json) call.document(set);
    call.say(`${call.style.good("✓")} ${service}: ${split(set.weights)}.`);
    if (set.receipt !== null) call.say(call.style.faint(`  ${receiptLine(set.receipt)}`));
    return 0;
  },
};

function question({ service, traffic: now }: ServiceStatusAnswer, weights: Weights): string {
  return `Change the split of ${service} from ${split(now)} to ${split(weights)}?`;
}

function show(call: Call, { service, desired, observed, generation, fence }: ServiceStatusAnswer): number {
  const drift = observed !== null && !sameWeights(desired, observed);
  if (call.json) call.document({ service, desired, observed, drift, generation, fence });
  const { style } = call;
  const rows = [
    [style.faint("recorded"), split(desired)],
    [style.faint("live"), observed === null ? style.warn("the proxy does not answer") : split(observed)],
  ];
  call.say(`${style.strong(service)}  ${style.faint(`fence ${String(fence)}, generation ${String(generation)}`)}`);
  for (const line of table(rows)) call.say(`  ${line}`);
  if (drift)
    call.say(style.warn("  Drift: `teal resume --adopt` keeps the live split, `teal resume --overwrite` ends it."));
  return 0;
}
