import type { Verb } from "../verb.ts";
import { relative } from "../words/duration.ts";
import { table } from "../words/table.ts";
import { expiry, reach, servicesOf } from "../words/token.ts";

const HEADS = ["NAME", "ROLE", "SERVICES", "CREATED", "EXPIRES", "LAST USED", "ID"];

export const tokenList: Verb = {
  name: "token list",
  summary: "The tokens, their roles and their last use",
  arguments: [],
  options: [],
  examples: [{ command: "teal token list", about: "who can come in over TCP, and where it answers" }],
  json: "{tokens: [{id, name, role, services, createdBy, createdAt, expiresAt, usedAt}], api: {address, problem}}",
  async run(call) {
    const answer = await (await call.client()).tokens();
    if (call.json) call.document(answer);
    const now = call.io.clock.now();
    const rows = answer.tokens.map((token) => [
      token.name,
      token.role,
      servicesOf(token),
      `${relative(token.createdAt, now)}, ${token.createdBy}`,
      expiry(token, now),
      token.usedAt === null ? "never" : relative(token.usedAt, now),
      token.id,
    ]);
    if (rows.length === 0) call.say("There are no tokens: the API answers on its unix socket alone.");
    else for (const line of table([HEADS.map(call.style.faint), ...rows])) call.say(line);
    if (rows.length > 0) for (const line of reach(answer.api)) call.say(call.style.faint(line));
    return 0;
  },
};
