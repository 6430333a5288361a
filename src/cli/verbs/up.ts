import { toTealError } from "../../model/error.ts";
import type { Call } from "../call.ts";
import type { UpgradeOffer, UpResult } from "../../main/up.ts";
import { confirmed } from "../ask.ts";
import { foreground } from "../foreground.ts";
import { stoppable } from "../until-stopped.ts";
import type { Verb } from "../verb.ts";

export const up: Verb = {
  name: "up",
  summary: "Start Teal, with the releases and split of last time",
  details:
    "In the foreground it prints what happens; Ctrl-C asks, drains and stops everything (a second one stops without a further " +
    "question, a third leaves it to finish alone). SIGTERM drains for as long as `traffic.drain` allows and stops, without asking. Already running is exit 0.\n\n" +
    "Where another version of Teal runs it says so, and upgrades it in place when that is confirmed: proxy, server and keeper " +
    "are replaced one after the other while traffic, apps and deployments go on. What does not come up goes back.",
  arguments: [],
  options: [
    { flags: "-d, --detach", description: "return when it is up" },
    { flags: "--stay", description: "in the foreground also where it runs already: for systemd and the like" },
    { flags: "-y, --yes", description: "upgrade what runs to this version, without asking" },
    {
      flags: "--wait-for <pid>",
      description: "start nothing; return when the `teal up` of that process has it up: for systemd and the like",
      value: "count",
    },
    { flags: "--force", description: "with --yes: even when this version is the older one" },
  ],
  examples: [
    { command: "teal up --detach", about: "start in the background" },
    { command: "teal up", about: "start and watch" },
    { command: "teal up --detach --yes", about: "start, or upgrade what runs to this version" },
  ],
  json: "{already, pid, runtime, packageRuntime, upgradedFrom, processes: [{process, pid, runtime, draining}], listeners: [{listen, address}], socket}; without --detach then the events, one a line",
  async run(call) {
    // Between one listener's end and the next one's begin a SIGTERM would end this process alone, and Teal would run on.
    const release = call.io.onStop(() => undefined);
    try {
      return await start(call);
    } finally {
      release();
    }
  },
};

/** The first process of a container, or of another PID namespace (pid_namespaces(7)). */
const FIRST_PROCESS = 1;

/** Node reaps the children that it has started itself, and no others. */
function warnFirst(call: Call): void {
  const end = call.flag("detach") ? " With --detach it ends at once, and the kernel ends everything with it." : "";
  call.note(
    `${call.style.warn("warning:")} teal up is the first process here (PID 1) and reaps no orphans: those of Teal and its apps stay as zombies.${end}\n` +
      "  Put an init before it: `docker run --init`, `tini -- teal up`, `dumb-init -- teal up`, or systemd.",
  );
}

async function start(call: Call): Promise<number> {
  const config = call.configFile();
  if (call.io.pid === FIRST_PROCESS) warnFirst(call);
  const starter = call.number("waitFor");
  if (starter === undefined) await readable(call, config);
  const result = await stoppable(call, (signal) =>
    call.parts.up({
      config,
      signal,
      force: call.flag("force"),
      ...(starter === undefined ? {} : { starter }),
      consent: (offer) => consent(call, offer),
      say: (line) => {
        call.say(line);
      },
    }),
  );
  const stays = starter === undefined && !call.flag("detach") && (!result.already || call.flag("stay"));
  if (call.json && stays) call.record(result);
  else if (call.json) call.document(result);
  if (starter === undefined) sayUp(call, result);
  return stays ? foreground(call, config) : 0;
}

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

async function consent(call: Call, { from, to, relation }: UpgradeOffer): Promise<boolean> {
  if (call.flag("yes")) return true;
  if (!call.asks) return false;
  const about = {
    newer: `Teal runs ${from} here, and this is ${to}. Upgrade it in place? Traffic goes on.`,
    rebuilt: `Teal runs ${from} here, and this is ${to}, other code of the same version. Replace it? Traffic goes on.`,
    older: `Teal runs ${from} here, and this is the older ${to}. Go back to it? Traffic goes on.`,
    node: "The Node that Teal was started with has been removed. Go on with this one? Traffic goes on.",
  } as const;
  return confirmed(about[relation]);
}

function sayUp(call: Call, result: UpResult): void {
  const { already, runtime, packageRuntime, upgradedFrom, processes, listeners, socket } = result;
  const { style } = call;
  const where = listeners.map(({ address }) => style.strong(address)).join(", ");
  call.say(
    `${style.good("✓")} Teal is ${upgradedFrom !== null ? `upgraded to ${runtime}` : already ? "already up" : "up"}${where === "" ? "" : `; traffic comes in at ${where}`}.`,
  );
  call.say(style.faint(`  API: ${socket}`));
  const other = processes.find((one) => !one.draining && one.runtime !== packageRuntime);
  if (other !== undefined) {
    call.say(
      style.warn(
        `  It runs ${other.runtime}, this is ${packageRuntime}: \`teal up --yes\` upgrades it, and traffic goes on.`,
      ),
    );
  }
  call.say("  Next: `teal deploy --version V`, `teal status`.");
}
