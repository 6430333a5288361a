import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { TealError } from "../model/error.ts";
import type { TealConfig } from "./config.ts";
import { loadConfig, type LoadOptions } from "./load.ts";

export const DRIVERS = { environmentDrivers: ["process", "container"], trafficDrivers: ["embedded", "balancer"] };

/** A folder for a teal.yaml and the files that it names; removed at the end of the block that holds it. */
export class ConfigFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), "teal-config-"));

  constructor(files: Readonly<Record<string, string>> = {}) {
    for (const [name, text] of Object.entries(files)) this.write(name, text);
  }

  write(name: string, text: string | Uint8Array): string {
    const path = join(this.path, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  }

  load(text: string | Uint8Array, options: Partial<LoadOptions> = {}): Promise<TealConfig> {
    return loadConfig(this.write("teal.yaml", text), { ...DRIVERS, variables: {}, ...options });
  }

  /** The error of a load that must fail. */
  async refused(text: string | Uint8Array, options: Partial<LoadOptions> = {}): Promise<TealError> {
    try {
      await this.load(text, options);
    } catch (thrown) {
      if (thrown instanceof TealError) return thrown;
      throw thrown;
    }
    throw new Error("teal.yaml was accepted");
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** A sound file with lines of one service, and the line that the first of them gets. */
export function service(...lines: readonly string[]): string {
  return [
    "version: 1",
    "services:",
    "  web:",
    "    environment: { command: ./run }",
    ...lines.map((line) => `    ${line}`),
    "",
  ].join("\n");
}
