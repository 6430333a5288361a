import { confirmed, declined } from "../ask.ts";
import { stopTimes } from "../stop-times.ts";
import { stoppable } from "../until-stopped.ts";
import type { Verb } from "../verb.ts";
import { duration } from "../words/duration.ts";

export const down: Verb = {
  name: "down",
  summary: "Stop Teal and every app that it runs",
  details:
    "Takes no new connections, lets requests end for the time of --drain, stops the apps, then Teal itself. The next " +
    "`teal up` starts the same releases with the same split. Works when the server is dead. Nothing running is exit 0.",
  arguments: [],
  options: [
    {
      flags: "--drain <duration>",
      description: "longest wait for requests in flight",
      value: "duration",
      otherwise: "the longest drain of teal.yaml, at most 10s",
    },
    { flags: "-y, --yes", description: "do not ask" },
  ],
  examples: [
    { command: "teal down", about: "stop everything of this teal.yaml" },
    { command: "teal down --yes --drain 60s", about: "give slow requests a minute" },
  ],
  json: "{stopped: whether something ran, tookMs}",
  async run(call) {
    if (call.asks && !(await confirmed("Stop Teal and every app that it runs?"))) return declined(call);
    const config = call.configFile();
    const times = await stopTimes(call, config, "person");
    const began = call.io.clock.monotonic();
    const { stopped } = await stoppable(call, (signal) =>
      call.parts.down({
        config,
        ...times,
        drainMs: call.number("drain") ?? times.drainMs,
        signal,
        say: (line) => {
          call.say(line);
        },
      }),
    );
    const tookMs = Math.round(call.io.clock.monotonic() - began);
    if (call.json) call.document({ stopped, tookMs });
    call.say(
      stopped
        ? `${call.style.good("✓")} Stopped in ${duration(tookMs)}.`
        : "Teal is not running here; nothing to stop.",
    );
    return 0;
  },
};
