import { TealError } from "../../model/error.ts";
import type { ServiceStatusAnswer, TealClient } from "../../sdk/client.ts";
import { confirmed, declined } from "../ask.ts";
import { chooseService, requirePermission } from "../service.ts";
import type { Verb } from "../verb.ts";
import { timestamp } from "../words/duration.ts";

const TARGET = "service|deployment";

export const approve: Verb = {
  name: "approve",
  summary: "Let a deployment that waits for it go on",
  details:
    "For services with `deploy.approval: beforeShift`. It may come before the deployment waits: it is kept. The first approval " +
    "counts; later ones change nothing and say so. To reject, use `teal abort --reason`. Without an approval the deployment is " +
    "rolled back after 24 h.",
  arguments: [
    {
      name: TARGET,
      required: false,
      description: "service, or id of the deployment; may be left out where there is one",
    },
  ],
  options: [{ flags: "-y, --yes", description: "do not ask" }],
  examples: [
    { command: "teal approve", about: "let the deployment of the only service go on" },
    { command: "teal approve web --yes --reason 'checked with sales'", about: "with a word for the history" },
    { command: "teal approve dep_0mj3k9 --json", about: "one deployment by its id, for a pipeline" },
  ],
  json: "{id, service, state, by, reason, at, repeated}",
  async run(call) {
    const client = await call.client();
    const id = await deploymentOf(client, call.text(TARGET));
    if (call.asks) {
      const { goal, version, service } = await client.deployment(id);
      if (!(await confirmed(`Approve the ${goal} of ${version ?? id} to ${service}?`))) return declined(call);
    }
    const approved = await client.approve(id, { reason: call.reason });
    if (call.json) call.document(approved);
    const { by, at, reason, repeated, service } = approved;
    call.say(
      repeated
        ? `${id} of ${service} had been approved by ${by} at ${timestamp(at)}${reason === null ? "" : ` (${reason})`}; nothing was changed.`
        : `${call.style.good("✓")} ${id} of ${service} is approved. \`teal events --follow\` follows it.`,
    );
    return 0;
  },
};

/** A name that is no service of ours is an id. */
async function deploymentOf(client: TealClient, named: string | undefined): Promise<string> {
  const { services, permissions } = await client.status();
  requirePermission(permissions, "approve");
  const names = services.map(({ service }) => service);
  if (named !== undefined && !names.includes(named)) return named;
  const found =
    named === undefined ? theOneWaiting(services, names) : services.find(({ service }) => service === named);
  if (found?.deployment == null)
    throw new TealError("nothing-to-approve", `no deployment of ${String(found?.service)} is under way`);
  return found.deployment.id;
}

/** Where several services are, the only one that waits is meant. */
function theOneWaiting(
  services: readonly ServiceStatusAnswer[],
  names: readonly string[],
): ServiceStatusAnswer | undefined {
  const [only, ...others] = services.filter(({ deployment }) => deployment?.state === "waiting");
  if (only !== undefined && others.length === 0) return only;
  const name = chooseService(undefined, names);
  return services.find(({ service }) => service === name);
}
