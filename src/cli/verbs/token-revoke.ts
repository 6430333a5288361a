import { confirmed, declined } from "../ask.ts";
import type { Verb } from "../verb.ts";

export const tokenRevoke: Verb = {
  name: "token revoke",
  summary: "Take a token away, at once",
  details: "Its streams end too. With the last valid token the API over TCP is closed.",
  arguments: [{ name: "token", required: true, description: "its name or id" }],
  options: [{ flags: "-y, --yes", description: "do not ask" }],
  examples: [{ command: "teal token revoke ci --reason 'leaked'", about: "it opens nothing any more" }],
  json: "{token: {id, name, role, services, createdBy, createdAt, expiresAt, usedAt}}",
  async run(call) {
    const named = call.text("token") ?? "";
    const client = await call.client();
    if (call.asks && !(await confirmed(`Revoke the token ${named}?`))) return declined(call);
    const answer = await client.revokeToken(named, { reason: call.reason });
    if (call.json) call.document(answer);
    call.say(`${call.style.good("✓")} The token ${answer.token.name} opens nothing any more.`);
    return 0;
  },
};
