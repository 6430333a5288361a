import type { Call } from "./call.ts";

export interface VerbArgument {
  readonly name: string;
  readonly required: boolean;
  readonly description: string;
  /** The only values that it takes. */
  readonly choices?: readonly string[];
}

export interface VerbOption {
  /** As commander takes them: `-f, --follow` or `--lines <count>`. */
  readonly flags: string;
  readonly description: string;
  /** What the value must be; absent: any text, or none for a flag. */
  readonly value?: "count" | "duration" | "name";
  readonly required?: boolean;
  /** For the help only: what holds when it is not given. */
  readonly otherwise?: string;
}

export interface Example {
  readonly command: string;
  readonly about: string;
}

/** One verb of the command line as data; `run` hands over to the client, `up` or `down` and prints. */
export interface Verb {
  /** Words that call it: `deploy`, `env list`. */
  readonly name: string;
  /** One line for the list of verbs. */
  readonly summary: string;
  /** More, for its own help. */
  readonly details?: string;
  readonly arguments: readonly VerbArgument[];
  readonly options: readonly VerbOption[];
  readonly examples: readonly Example[];
  /** What `--json` prints. */
  readonly json: string;
  /** Returns the exit code. */
  run(call: Call): Promise<number>;
}

export const SERVICE_ARGUMENT: VerbArgument = {
  name: "service",
  required: false,
  description: "service of teal.yaml; may be left out where there is one",
};

/** Options that every verb takes. */
export const COMMON_OPTIONS: readonly VerbOption[] = [
  { flags: "--json", description: "print JSON: one document, or one object a line for streams" },
  { flags: "--config <file>", description: "teal.yaml to use", otherwise: "looked for here and in the folders above" },
  {
    flags: "--url <url>",
    description: "Teal on another machine; its token is in TEAL_TOKEN",
    otherwise: "TEAL_URL, or this machine",
  },
  { flags: "--reason <text>", description: "why, for the history" },
];
