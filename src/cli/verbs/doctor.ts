import { TealError } from "../../model/error.ts";
import type { Finding } from "../../main/doctor/finding.ts";
import type { Style } from "../style.ts";
import { stoppable } from "../until-stopped.ts";
import type { Verb } from "../verb.ts";

export const doctor: Verb = {
  name: "doctor",
  summary: "Look for what is wrong, or soon will be",
  details:
    "State directory, disk, clock, processes and their versions, what nobody stands for, ports, open files, the store and the chain of its journal, whether the " +
    "record of each service is what the proxy does, and the systemd unit. Changes nothing. Works when the server, or everything, is " +
    "down. Exit 1 when there is a problem; warnings alone are exit 0.",
  arguments: [],
  options: [
    {
      flags: "--noted <head>",
      description: "compare the journal with a head that doctor printed before, such as 120:3f9ac1d2e4b5",
    },
  ],
  examples: [
    { command: "teal doctor", about: "every finding, with what to do" },
    {
      command: "teal doctor --noted 120:3f9ac1d2e4b5",
      about: "and whether the journal up to event 120 is what it was then",
    },
    { command: "teal doctor --json | jq '.findings[] | select(.state != \"ok\")'", about: "for a script" },
  ],
  json: "{findings: [{check, state: ok | warning | problem, message, remedy, head?: {seq, hash}}]}",
  async run(call) {
    const config = call.configFile();
    const noted = notedHead(call.text("noted"));
    const findings = await stoppable(call, (signal) => call.parts.doctor({ config, signal, noted }));
    if (call.json) call.document({ findings });
    for (const finding of findings) for (const line of lines(finding, call.style)) call.say(line);
    const count = (state: Finding["state"]): number => findings.filter((one) => one.state === state).length;
    const [problems, warnings] = [count("problem"), count("warning")];
    call.say();
    call.say(
      problems + warnings === 0 ? "All is well." : `${plural(problems, "problem")}, ${plural(warnings, "warning")}.`,
    );
    return problems > 0 ? 1 : 0;
  },
};

/** @throws `usage` */
function notedHead(text: string | undefined): { readonly seq: number; readonly hash: string } | null {
  if (text === undefined) return null;
  const [, seq, hash] = /^([1-9]\d{0,14}):([0-9a-f]{12,64})$/i.exec(text) ?? [];
  if (seq !== undefined && hash !== undefined) return { seq: Number(seq), hash: hash.toLowerCase() };
  throw new TealError("usage", "--noted must be a head as `teal doctor` prints it", {
    remedy: "Such as 120:3f9ac1d2e4b5.",
  });
}

function lines({ check, state, message, remedy }: Finding, style: Style): readonly string[] {
  const mark = { ok: style.good("✓"), warning: style.warn("!"), problem: style.bad("✗") }[state];
  return [`${mark} ${check}: ${message}`, ...(remedy === null ? [] : [`    ${remedy}`])];
}

function plural(count: number, word: string): string {
  return `${String(count)} ${word}${count === 1 ? "" : "s"}`;
}
