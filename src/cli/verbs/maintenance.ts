import { TealError } from "../../model/error.ts";
import { MAINTENANCE_MODES, type MaintenanceMode } from "../../model/maintenance.ts";
import { confirmed, declined } from "../ask.ts";
import type { Call } from "../call.ts";
import { serviceOf } from "../service.ts";
import { SERVICE_ARGUMENT, type Verb } from "../verb.ts";
import { maintenanceLine } from "../words/maintenance.ts";

const LONGEST_HOLD_S = 86_400;

export const maintenance: Verb = {
  name: "maintenance",
  summary: "Answer a service's requests with a page, or let them wait",
  details:
    "`on`: requests get the page of traffic.maintenance in teal.yaml, and a 503. `hold`: they wait, and get the app when it ends; by itself after a time. `off`: the app gets them. The mode stays until it is changed, through deployments, restarts and reboots. On a terminal `on` and `hold` are confirmed.",
  arguments: [
    { name: "mode", required: true, description: "what is to become of requests", choices: MAINTENANCE_MODES },
    SERVICE_ARGUMENT,
  ],
  options: [
    {
      flags: "--for <duration>",
      description: "hold: longest that it lasts",
      value: "duration",
      otherwise: "teal.yaml's",
    },
    { flags: "--ends-in <mode>", description: "hold: what it becomes then, off or on", otherwise: "teal.yaml's" },
    { flags: "--close", description: "also end the WebSockets and event streams that are open" },
    { flags: "-y, --yes", description: "do not ask" },
  ],
  examples: [
    { command: "teal maintenance on --reason 'moving the database'", about: "every client gets the page" },
    { command: "teal maintenance hold web --for 30s --yes", about: "requests wait, half a minute at most" },
    { command: "teal maintenance off", about: "the app gets the requests again" },
  ],
  json: "{service, mode, since, until, endsIn, by, reason, changed, warnings}",
  async run(call) {
    const mode = MAINTENANCE_MODES.find((known) => known === call.text("mode")) ?? "off";
    const hold = holdOptions(call, mode);
    const client = await call.client();
    const { service } = await serviceOf(client, call.text("service"), "deploy");
    if (mode !== "off" && call.asks && !(await confirmed(QUESTIONS[mode](service)))) return declined(call);
    const request = { mode, ...hold, close: call.flag("close"), reason: call.reason };
    const answer = await client.maintenance(service, request);
    for (const warning of answer.warnings) call.note(`Note: ${warning}`);
    if (call.json) call.document(answer);
    call.say(maintenanceLine(answer, call.io.clock.now()));
    return 0;
  },
};

const QUESTIONS = {
  on: (service: string) => `Answer every request to ${service} with the maintenance page?`,
  hold: (service: string) => `Let every request to ${service} wait?`,
} as const;

/** @throws `usage` for a time that no hold can have, and for options of a hold with another mode */
function holdOptions(call: Call, mode: MaintenanceMode): { seconds?: number; endsIn?: "off" | "on" } {
  const longestMs = call.number("for");
  const endsIn = call.text("endsIn");
  if (mode !== "hold" && (longestMs !== undefined || endsIn !== undefined))
    throw new TealError("usage", "--for and --ends-in go with hold alone");
  const seconds = longestMs === undefined ? undefined : Math.ceil(longestMs / 1_000);
  if (seconds !== undefined && (seconds < 1 || seconds > LONGEST_HOLD_S))
    throw new TealError("usage", "--for must be from 1s to 24h");
  if (endsIn !== undefined && endsIn !== "off" && endsIn !== "on")
    throw new TealError("usage", "--ends-in must be off or on");
  return { ...(seconds === undefined ? {} : { seconds }), ...(endsIn === undefined ? {} : { endsIn }) };
}
