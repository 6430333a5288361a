import { dirname } from "node:path";
import { stopTimes } from "../stop-times.ts";
import { unitFile } from "../unit-file.ts";
import type { Verb } from "../verb.ts";

export const systemd: Verb = {
  name: "systemd",
  summary: "Print a unit with which systemd runs this Teal",
  details:
    "For this teal.yaml, this Node, this package and the user who calls it. Apps and traffic go on when `teal up`, the server or the " +
    "keeper of the unit dies; `systemctl reload` upgrades in place; `systemctl stop` drains and stops everything.",
  arguments: [],
  options: [{ flags: "--user <name>", description: "whom Teal and its apps run as", otherwise: "who calls this" }],
  examples: [
    { command: "teal systemd --user shop | sudo tee /etc/systemd/system/teal.service", about: "install it" },
    { command: "teal systemd | systemd-analyze verify /dev/stdin", about: "look it over" },
  ],
  json: "{unit}",
  async run(call) {
    const config = call.configFile();
    const { proxy } = await call.parts.loadConfig(config, call.io.env);
    const { drainMs, stopMs } = await stopTimes(call, config, "supervisor");
    const { node, script, user } = call.parts.program;
    const unit = unitFile({
      config,
      folder: dirname(config),
      node,
      script,
      user: call.text("user") ?? user,
      listen: proxy.listen,
      stopMs: drainMs + stopMs,
    });
    if (call.json) call.document({ unit });
    else call.io.stdout.write(unit);
    return 0;
  },
};
