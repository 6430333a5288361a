import { serviceOf } from "../service.ts";
import { SERVICE_ARGUMENT, type Verb } from "../verb.ts";
import { historyLines } from "../words/history.ts";

export const history: Verb = {
  name: "history",
  summary: "The deployments so far, newest first",
  details: "Below each that was taken back stands why: a guardrail's words, what failed, or who aborted it.",
  arguments: [SERVICE_ARGUMENT],
  options: [{ flags: "--limit <count>", description: "at most so many", value: "count", otherwise: "50" }],
  examples: [
    { command: "teal history", about: "who shipped what, when, and how it ended" },
    { command: "teal history web --limit 5 --json", about: "the last five, for a script" },
  ],
  json: "{history: [{deployment, goal, from, to, version, state, startedAt, endedAt, by, reason, cause}]}",
  async run(call) {
    const client = await call.client();
    const { service } = await serviceOf(client, call.text("service"));
    const answer = await client.history(service, call.number("limit") ?? 50);
    if (call.json) call.document(answer);
    for (const line of historyLines(
      answer.history,
      call.io.clock.now(),
      call.style,
      call.io.stdout.terminal ? call.io.stdout.columns : Infinity,
    ))
      call.say(line);
    return 0;
  },
};
