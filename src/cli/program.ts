import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { TealError } from "../model/error.ts";
import { isName, NAME_PATTERN } from "../model/names.ts";
import type { Io } from "./io.ts";
import { COMMON_OPTIONS, type Verb, type VerbOption } from "./verb.ts";
import { parseDuration } from "./words/duration.ts";

export const EXIT_CODES: readonly (readonly [number, string])[] = [
  [0, "done"],
  [1, "failed"],
  [2, "usage or configuration"],
  [3, "rolled back"],
  [4, "aborted"],
  [5, "waiting for approval (--no-wait)"],
  [6, "refused by a safety rule"],
  [7, "no permission"],
];

/** What verbs of two words are about. */
const GROUPS: Readonly<Record<string, string>> = {
  env: "one environment, or all",
  token: "keys to the API over TCP",
};

export type Chosen = (verb: Verb, values: Readonly<Record<string, unknown>>) => Promise<void>;

/** The command line of these verbs; `chosen` is called with the one that was typed. Throws TealError `usage`. */
export function programOf(verbs: readonly Verb[], version: string, io: Io, chosen: Chosen): Command {
  const program = new Command("teal");
  program
    .description(
      "Ships a new version of a service beside the old one, proves it with real traffic, switches without losing a request.",
    )
    .version(version, "--version", "print the version of Teal")
    .helpOption("-h, --help", "print this help")
    .helpCommand("help [verb]", "print the help of a verb")
    // A verb's own `--version V` is not the program's.
    .enablePositionalOptions()
    .configureOutput({
      writeOut: (text) => {
        io.stdout.write(text);
      },
      writeErr: () => undefined,
      getOutHelpWidth: () => Math.min(io.stdout.columns, 100),
    })
    .configureHelp({ subcommandTerm, subcommandDescription })
    .exitOverride()
    .addHelpText("after", `\n${exitHelp()}`);
  for (const verb of verbs) addVerb(program, verb, chosen);
  return program;
}

/** Runs it. A usage error of commander becomes ours; help and version are done when this returns. */
export async function parse(program: Command, argv: readonly string[]): Promise<void> {
  try {
    await program.parseAsync(argv, { from: "user" });
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) throw thrown;
    if (thrown.exitCode === 0) return;
    if (thrown.code === "commander.help")
      throw new TealError("usage", `${argv.join(" ")} is not a whole verb${restOf(program, argv)}`, { cause: thrown });
    throw new TealError("usage", thrown.message.replace(/^error: /, "").replace("\n", " "), { cause: thrown });
  }
}

/** What makes a whole verb of its first word, such as `; what can follow: list, start, stop`. */
function restOf(program: Command, [word]: readonly string[]): string {
  const names = program.commands.find((command) => command.name() === word)?.commands.map((command) => command.name());
  return names === undefined || names.length === 0 ? "" : `; what can follow: ${names.join(", ")}`;
}

function addVerb(program: Command, verb: Verb, chosen: Chosen): void {
  const words = verb.name.split(" ");
  const own = words.pop() ?? verb.name;
  const parent = words.reduce((above, word) => group(above, word), program);
  const command = parent
    .command(own)
    .summary(verb.summary)
    .description(describe(verb))
    .helpOption("-h, --help", "print this help");
  for (const argument of verb.arguments) {
    const made = command.createArgument(
      argument.required ? `<${argument.name}>` : `[${argument.name}]`,
      argument.description,
    );
    command.addArgument(argument.choices === undefined ? made : made.choices(argument.choices));
  }
  for (const option of [...verb.options, ...COMMON_OPTIONS]) command.addOption(optionOf(option));
  command.addHelpText("after", `\n${exampleHelp(verb)}`);
  command.action(async (...typed: unknown[]) => {
    const named = verb.arguments.map((argument, index) => [argument.name, typed[index]] as const);
    await chosen(verb, { ...command.opts(), ...Object.fromEntries(named) });
  });
}

/** `deploy [service]`: that each takes options goes without saying. Verbs of two words are listed by their first. */
function subcommandTerm(command: Command): string {
  if (command.commands.length > 0) return `${command.name()} <verb>`;
  const taken = command.registeredArguments.map((argument) =>
    argument.required ? `<${argument.name()}>` : `[${argument.name()}]`,
  );
  return [command.name(), ...taken].join(" ");
}

/** A group says which verbs it has. */
function subcommandDescription(command: Command): string {
  const inner = command.commands.map((verb) => verb.name()).join(" | ");
  return inner === "" ? command.summary() || command.description() : `${inner}: ${command.description()}`;
}

/** The command that holds `env list`, `env …`: made for the first of them. */
function group(above: Command, word: string): Command {
  const existing = above.commands.find((command) => command.name() === word);
  return existing ?? above.command(word).description(GROUPS[word] ?? word);
}

function optionOf({ flags, description, value, required, otherwise }: VerbOption): Option {
  const option = new Option(flags, otherwise === undefined ? description : `${description} (default: ${otherwise})`);
  if (value !== undefined) option.argParser(PARSERS[value]);
  return required === true ? option.makeOptionMandatory() : option;
}

const PARSERS: Readonly<Record<NonNullable<VerbOption["value"]>, (text: string) => unknown>> = {
  count: (text) => {
    if (/^\d{1,9}$/.test(text)) return Number(text);
    throw new InvalidArgumentError("It must be a whole number, 0 or more.");
  },
  duration: (text) => {
    const ms = parseDuration(text);
    if (ms !== null) return ms;
    throw new InvalidArgumentError("It must be a duration with its unit: 500ms, 10s, 5m, 24h.");
  },
  name: (text) => {
    if (isName(text)) return text;
    throw new InvalidArgumentError(`It must match ${NAME_PATTERN.source}.`);
  },
};

function describe(verb: Verb): string {
  return verb.details === undefined ? `${verb.summary}.` : `${verb.summary}.\n\n${verb.details}`;
}

function exampleHelp(verb: Verb): string {
  const longest = Math.max(...verb.examples.map(({ command }) => command.length));
  const lines = verb.examples.map(({ command, about }) => `  ${command.padEnd(longest)}  ${about}`);
  return ["Examples:", ...lines, "", `With --json: ${verb.json}`].join("\n");
}

function exitHelp(): string {
  return ["Exit codes:", ...EXIT_CODES.map(([code, meaning]) => `  ${String(code)}  ${meaning}`)].join("\n");
}
