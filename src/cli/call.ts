import { TealError } from "../model/error.ts";
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

  /** Of a Teal that is not this machine's: what was named, else TEAL_URL unless a teal.yaml was named; null: this machine's. */
  get url(): string | null {
    const meant = this.text("config") === undefined ? this.io.env["TEAL_URL"] : undefined;
    return this.text("url") ?? (meant === "" ? null : (meant ?? null));
  }

  /** Absolute path of teal.yaml. @throws `config-missing`; `usage` for one of another machine */
  configFile(): string {
    if (this.text("url") !== undefined)
      throw new TealError("usage", "this is about the Teal of this machine and its teal.yaml: leave out --url");
    return locateConfig(this.text("config"), this.io.cwd);
  }

  client(): Promise<TealClient> {
    const { url } = this;
    return url === null
      ? this.parts.client(this.configFile())
      : this.parts.remote(url, this.io.env["TEAL_TOKEN"] ?? "");
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
