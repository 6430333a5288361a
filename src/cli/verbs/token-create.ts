import { TealError } from "../../model/error.ts";
import { ROLES } from "../../model/token.ts";
import { isName } from "../../model/names.ts";
import type { Verb } from "../verb.ts";
import { reach, tokenScope } from "../words/token.ts";

export const tokenCreate: Verb = {
  name: "token create",
  summary: "Make a token for the API over TCP, and show it once",
  details:
    "The first one opens the API on 127.0.0.1:8325 (`server.listen` in teal.yaml). viewer reads. deployer also deploys, switches, " +
    "aborts and does all else to a service. approver reads, approves and aborts, but does not deploy. admin does everything, tokens " +
    "included. Without --service it is for all services. Only a hash of it is kept.",
  arguments: [{ name: "name", required: true, description: "what the history is to call it" }],
  options: [
    { flags: "--role <role>", description: `what it may do: ${ROLES.join(", ")}`, required: true },
    { flags: "--service <names>", description: "only for these services, separated by commas", otherwise: "all" },
    { flags: "--expires <duration>", description: "how long it is valid", value: "duration", otherwise: "for ever" },
  ],
  examples: [
    { command: "teal token create ci --role deployer --service web --expires 90d", about: "for a pipeline" },
    { command: "teal token create dashboard --role viewer", about: "reads everything, and changes nothing" },
  ],
  json: "{token: {id, name, role, services, createdBy, createdAt, expiresAt, usedAt}, secret, api: {address, problem}}",
  async run(call) {
    const role = ROLES.find((known) => known === call.text("role"));
    if (role === undefined) throw new TealError("usage", `--role must be one of ${ROLES.join(", ")}`);
    const name = call.text("name") ?? "";
    if (!isName(name)) throw new TealError("usage", `${name} is no name: letters, digits and . _ + - only`);
    const services = call.text("service")?.split(",") ?? null;
    const lastsMs = call.number("expires");
    const client = await call.client();
    const made = await client.createToken({
      name,
      role,
      services,
      reason: call.reason,
      ...(lastsMs === undefined ? {} : { expiresInSeconds: Math.ceil(lastsMs / 1_000) }),
    });
    if (call.json) call.document(made);
    call.say(`${call.style.good("✓")} Token ${name}: ${tokenScope(made.token, call.io.clock.now())}. Shown this once:`);
    call.say();
    call.say(made.secret);
    call.say();
    for (const line of reach(made.api)) call.say(line);
    return 0;
  },
};
