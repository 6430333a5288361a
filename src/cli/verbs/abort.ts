import { TealError } from "../../model/error.ts";
import type { Call } from "../call.ts";
import { runDeployment } from "../deployment.ts";
import { serviceOf } from "../service.ts";
import { stoppable } from "../until-stopped.ts";
import { SERVICE_ARGUMENT, type Verb } from "../verb.ts";
import { duration } from "../words/duration.ts";
import { split } from "../words/weights.ts";

export const abort: Verb = {
  name: "abort",
  summary: "Take back the deployment that is under way",
  details:
    "The traffic goes back first, at once; the clean-up follows. --direct asks the proxy itself, for when the server is dead, " +
    "does not answer, or cannot write: the traffic goes back, and nothing of the deployment is taken again. A server that comes " +
    "back does the rest, and records who asked and why: the proxy keeps both until then. It waits for at most 5 s until the " +
    "proxy's disk has that, and warns where it has not: a power cut may then undo it. Every proxy that lives has to answer, also " +
    "one that drains: where one hangs, the others give the traffic back, and it is exit 1 with the process to end. A deployment " +
    "that has had no traffic yet, as while it waits for an approval, is not known to the proxy and lives on. One that is frozen, " +
    "as going back would be worse, is ended where it stands: the traffic stays. One that becomes frozen by this is exit 1.",
  arguments: [SERVICE_ARGUMENT],
  options: [
    { flags: "--direct", description: "ask the proxy itself, without the server" },
    { flags: "--no-wait", description: "return when the traffic is back, without waiting for the clean-up" },
  ],
  examples: [
    { command: "teal abort", about: "take it back, and wait for the clean-up" },
    { command: "teal abort web --no-wait --reason 'wrong version'", about: "return as soon as the traffic is back" },
    { command: "teal abort --direct", about: "when the server does not answer" },
  ],
  json: "the deployment as it ended; with --direct {service, deployment, weights, reverted, proxies, tookMs, durable}",
  async run(call) {
    if (call.flag("direct")) return direct(call);
    const client = await call.client();
    const { service, deployment } = await serviceOf(client, call.text("service"), "abort");
    if (deployment === null) throw new TealError("nothing-to-abort", `no deployment of ${service} is under way`);
    return runDeployment(call, client, {
      start: (signal) => client.abort(deployment.id, { reason: call.reason }, { signal }),
      // One that is frozen ends where it stands.
      wanted: deployment.state === "frozen" ? ["aborted", "failed"] : ["aborted"],
      wait: call.flag("wait"),
    });
  },
};

/** Exit 1 where the proxy kept the split because going back would be worse. */
async function direct(call: Call): Promise<number> {
  const service = call.text("service") ?? null;
  const config = call.configFile();
  const done = await stoppable(call, (signal) =>
    call.parts.directAbort({ config, service, reason: call.reason, signal }),
  );
  if (call.json) call.document(done);
  const { style } = call;
  const { deployment, weights, proxies, tookMs } = done;
  const where = `${done.service}: ${split(weights)}`;
  const count = `${String(proxies)} ${proxies === 1 ? "proxy" : "proxies"}`;
  call.say(
    done.reverted
      ? `${style.good("✓")} The traffic is back (${duration(tookMs)}, ${count}). ${where}.`
      : `${style.bad("✗")} The traffic stays, as going back would be worse: no instance there is healthy. ${where}.`,
  );
  if (!done.durable)
    call.say(
      style.warn(
        `  The proxy's disk does not have it yet. After a power cut now ${deployment} could go on: run this again then.`,
      ),
    );
  call.say(`  Nothing of ${deployment} is taken any more. A server that answers does the clean-up: \`teal status\`.`);
  call.say(
    style.faint("  Where it does not answer: `teal doctor` says what to do; where nothing runs, `teal up --detach`."),
  );
  return done.reverted ? 0 : 1;
}
