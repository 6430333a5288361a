import { readCommandLine, zombiesOf } from "../../keeper/procfs.ts";
import { type Finding, ok, warning } from "./finding.ts";

const INIT =
  "Start the container with an init before Teal: `docker run --init`, `tini -- teal up`, `dumb-init -- teal up`.";

/** Where `teal up` is the first process: what it does not reap. Orphans of Teal and of the apps all become its children. */
export function firstProcess(
  command: readonly string[] = readCommandLine(1),
  zombies: () => readonly number[] = () => zombiesOf(1),
): readonly Finding[] {
  if (!isTealUp(command)) return [];
  const { length } = zombies();
  const first = "`teal up` is the first process here (PID 1), which reaps no orphans";
  return [length === 0 ? ok("zombies", `none, but ${first}`) : warning("zombies", `${String(length)}: ${first}`, INIT)];
}

/** `node [--flag …] …/teal up …`, whatever the package's file is called. */
function isTealUp(command: readonly string[]): boolean {
  const [script, ...rest] = command.slice(1).filter((word) => !word.startsWith("-"));
  return script !== undefined && /(^|\/)teal(\.js)?$/.test(script) && rest.includes("up");
}
