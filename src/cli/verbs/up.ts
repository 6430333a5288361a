import { toTealError } from "../../model/error.ts";
import type { Call } from "../call.ts";
import type { UpResult } from "../../main/up.ts";
import { foreground } from "../foreground.ts";
import { stoppable } from "../until-stopped.ts";
import type { Verb } from "../verb.ts";

export const up: Verb = {
  name: "up",
  summary: "Start Teal, with the releases and split of last time",
  details:
    "In the foreground it prints what happens; Ctrl-C asks, drains and stops everything (a second one stops without a further " +
    "question, a third leaves it to finish alone). SIGTERM drains and stops without asking. Already running is exit 0.",
  arguments: [],
  options: [{ flags: "-d, --detach", description: "return when it is up" }],
  examples: [
    { command: "teal up --detach", about: "start in the background" },
    { command: "teal up", about: "start and watch" },
  ],
  json: "{already, pid, runtime, packageRuntime, listeners: [{listen, address}], socket}; without --detach then the events, one a line",
  async run(call) {
    const config = call.configFile();
    await readable(call, config);
    const result = await stoppable(call, (signal) =>
      call.parts.up({
        config,
        signal,
        say: (line) => {
          call.say(line);
        },
      }),
    );
    const stays = !call.flag("detach") && !result.already;
    if (call.json && stays) call.record(result);
    else if (call.json) call.document(result);
    sayUp(call, result);
    return stays ? foreground(call, config) : 0;
  },
};

/**
 * A first start needs a good teal.yaml. After that a reboot brings back what is on record, whatever the file says by then:
 * a half-edited file, or a variable that only the pipeline has, must not keep a site down.
 */
async function readable(call: Call, config: string): Promise<void> {
  try {
    await call.parts.loadConfig(config, call.io.env);
  } catch (thrown) {
    const problem = toTealError(thrown);
    if (!(await call.parts.hasStarted(config))) throw problem;
    call.say(`${call.style.warn("warning:")} ${problem.message}`);
    call.say(
      call.style.warn("Teal comes back with the releases and addresses on record; deploys need a good teal.yaml."),
    );
  }
}

function sayUp(call: Call, { already, runtime, packageRuntime, listeners, socket }: UpResult): void {
  const { style } = call;
  const where = listeners.map(({ address }) => style.strong(address)).join(", ");
  call.say(
    `${style.good("✓")} Teal is ${already ? "already up" : "up"}${where === "" ? "" : `; traffic comes in at ${where}`}.`,
  );
  call.say(style.faint(`  API: ${socket}`));
  if (runtime !== packageRuntime) {
    call.say(
      style.warn(`  It runs ${runtime}, this is ${packageRuntime}: \`teal down\` and \`teal up\` bring the new one.`),
    );
  }
  call.say("  Next: `teal deploy --version v1`, `teal status`.");
}
