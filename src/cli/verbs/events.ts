import { SERVICE_ARGUMENT, type Verb } from "../verb.ts";
import { untilStopped } from "../until-stopped.ts";
import { EventRows } from "../words/event-row.ts";

export const events: Verb = {
  name: "events",
  summary: "Everything that happened, oldest first",
  details:
    "Without --follow all events that are kept; with it those from now on, or from --after on. Ctrl-C ends it with exit 0.",
  arguments: [{ ...SERVICE_ARGUMENT, description: "only events of this service" }],
  options: [
    { flags: "-f, --follow", description: "go on as they come, across restarts of the server" },
    { flags: "--after <seq>", description: "only events with a higher sequence number", value: "count" },
  ],
  examples: [
    { command: "teal events --follow", about: "watch what happens" },
    { command: "teal events --after 120 --json", about: "what came after event 120, one object a line" },
  ],
  json: "a stream, one {seq, at, service, deployment, type, step, data} a line",
  run(call) {
    return untilStopped(call, async (signal) => {
      const client = await call.client();
      const follow = call.flag("follow");
      const after = call.number("after") ?? (follow ? undefined : 0);
      const rows = new EventRows(call.style);
      const named = call.text("service");
      const stream = client.events({
        follow,
        signal,
        ...(after === undefined ? {} : { after }),
        onLost: () => {
          call.note("The server is away; waiting for it …");
        },
      });
      for await (const event of stream) {
        if (named !== undefined && event.service !== named) continue;
        if (call.json) call.record(event);
        else call.say(rows.row(event));
      }
    });
  },
};
