import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

interface QueryAnswer {
  readonly data: { readonly result: readonly { readonly value: readonly [number, string] }[] };
}

/** A Prometheus of the distribution, in a folder of its own, that really scrapes. */
export class Prometheus {
  readonly url: string;
  readonly #folder: string;
  readonly #process: ChildProcess;
  readonly #gone: Promise<unknown>;

  private constructor(url: string, folder: string, process: ChildProcess) {
    this.url = url;
    this.#folder = folder;
    this.#process = process;
    this.#gone = once(process, "exit");
  }

  /**
   * @param program its path
   * @param scrape the part of its configuration that says what is scraped
   */
  static async start(program: string, scrape: object): Promise<Prometheus> {
    const folder = await mkdtemp(join(tmpdir(), "teal-prometheus-"));
    const file = join(folder, "prometheus.yml");
    const global = { scrape_interval: "100ms", scrape_timeout: "100ms" };
    // JSON is YAML.
    await writeFile(file, JSON.stringify({ global, scrape_configs: [scrape] }));
    const address = `127.0.0.1:${String(await freePort())}`;
    const options = { "config.file": file, "storage.tsdb.path": join(folder, "data"), "web.listen-address": address };
    const process = spawn(
      program,
      Object.entries({ ...options, "log.level": "error" }).map(([name, value]) => `--${name}=${value}`),
      { stdio: "ignore" },
    );
    const prometheus = new Prometheus(`http://${address}`, folder, process);
    try {
      await prometheus.#until("it is ready", async () => (await fetch(`${prometheus.url}/-/ready`)).ok);
      return prometheus;
    } catch (thrown) {
      await prometheus.close();
      throw thrown;
    }
  }

  /** Waits until a query gives what is looked for. */
  async until(query: string, isIt: (values: readonly string[]) => boolean): Promise<void> {
    await this.#until(query, async () => {
      const answer = await fetch(`${this.url}/api/v1/query?${new URLSearchParams({ query }).toString()}`);
      const { data } = (await answer.json()) as QueryAnswer;
      return isIt(data.result.map(({ value }) => value[1]));
    });
  }

  /** It takes connections, and answers nothing. */
  pause(): void {
    this.#process.kill("SIGSTOP");
  }

  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#gone;
  }

  async close(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #until(what: string, look: () => Promise<boolean>): Promise<void> {
    const end = Date.now() + 60_000;
    while (!(await look().catch(() => false))) {
      if (Date.now() > end || this.#process.exitCode !== null) throw new Error(`Prometheus: never came to: ${what}`);
      await sleep(50);
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
