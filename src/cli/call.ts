import type { TealClient } from "../sdk/client.ts";
import type { Io } from "./io.ts";
import { locateConfig } from "./locate.ts";
import type { Parts } from "./parts.ts";
import { type Style, styleFor } from "./style.ts";

/** One use of a verb: what was typed, and where answers go. */
export class Call {
  readonly io: Io;
  readonly parts: Parts;
  readonly style: Style;
  readonly #values: Readonly<Record<string, unknown>>;

  /** `values` holds arguments and options by name, already checked. */
  constructor(io: Io, parts: Parts, values: Readonly<Record<string, unknown>>) {
    this.io = io;
    this.parts = parts;
    this.style = styleFor(io.stdout, io.env);
    this.#values = values;
  }

  text(name: string): string | undefined {
    const value = this.#values[name];
    return typeof value === "string" ? value : undefined;
  }

  number(name: string): number | undefined {
    const value = this.#values[name];
    return typeof value === "number" ? value : undefined;
  }

  /** Whether an option without a value was given; `--no-wait` is `wait` being false. */
  flag(name: string): boolean {
    return this.#values[name] === true;
  }

  get json(): boolean {
    return this.flag("json");
  }

  get reason(): string | null {
    return this.text("reason") ?? null;
  }

  /** Width to write to: lines longer than about 100 are hard to read. */
  get columns(): number {
    return Math.min(this.io.stdout.columns, 100);
  }

  /** Whether somebody is there to be asked: both ends are terminals, and it is no program that reads. */
  get asks(): boolean {
    return this.io.interactive && this.io.stdout.terminal && !this.json && !this.flag("yes");
  }

  /** Absolute path of teal.yaml. @throws `config-missing` */
  configFile(): string {
    return locateConfig(this.text("config"), this.io.cwd);
  }

  client(): Promise<TealClient> {
    return this.parts.client(this.configFile());
  }

  /** A line for a person; nothing under `--json`. */
  say(line = ""): void {
    if (!this.json) this.io.stdout.write(`${line}\n`);
  }

  /** A line beside the answer, for a person. */
  note(line: string): void {
    this.io.stderr.write(`${line}\n`);
  }

  /** The one document of `--json`; nothing else goes to stdout then. */
  document(value: unknown): void {
    this.io.stdout.write(`${JSON.stringify(value, null, this.io.stdout.terminal ? 2 : undefined)}\n`);
  }

  /** One object of a `--json` stream. */
  record(value: unknown): void {
    this.io.stdout.write(`${JSON.stringify(value)}\n`);
  }
}
