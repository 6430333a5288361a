import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "undici";
import { classify } from "./classify.ts";
import type { Exchange } from "./exchange.ts";
import type { Ledger } from "./ledger.ts";
import type { Load } from "./load-generator.ts";
import { get, type RequestWish } from "./wish.ts";

interface PipelinedOptions {
  readonly url: string;
  readonly ledger: Ledger;
  readonly connections: number;
  /** Requests on their way at a time on one connection. */
  readonly depth: number;
  /** Between the last answer of one batch and the next batch. */
  readonly pauseMs: number;
  readonly timeoutMs: number;
}

const make = get("pipelined", () => "/");

/**
 * Reads on kept connections, several at a time on each before the first is answered (RFC 9112, 9.3.2). The client is
 * undici: what stood behind an answer with `Connection: close` it sends again, as the RFC tells it to; what a connection
 * takes with it without such a word it reports, and that is lost.
 */
export class PipelinedLoad implements Load {
  readonly ledger: Ledger;
  readonly #options: PipelinedOptions;
  readonly #stop = new AbortController();
  readonly #loops: Promise<void>[];

  constructor(options: PipelinedOptions) {
    this.#options = options;
    this.ledger = options.ledger;
    this.#loops = Array.from({ length: options.connections }, (_, connection) => this.#loop(connection));
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#loops);
  }

  async #loop(connection: number): Promise<void> {
    const { url, depth, pauseMs, timeoutMs } = this.#options;
    const client = new Client(url, { pipelining: depth, headersTimeout: timeoutMs, bodyTimeout: timeoutMs });
    for (let batch = 0; !this.#stop.signal.aborted; batch += 1) {
      const ids = Array.from({ length: depth }, (_, i) => `p${String(connection)}-${String(batch)}-${String(i)}`);
      await Promise.all(
        ids.map((id) =>
          this.#ask(
            client,
            make(id, () => 0),
          ),
        ),
      );
      await sleep(pauseMs);
    }
    await client.close();
  }

  async #ask(client: Client, wish: RequestWish): Promise<void> {
    const begunAt = performance.now();
    const outcome = classify(wish, await exchange(client, wish));
    this.ledger.record(wish, outcome, performance.now() - begunAt);
  }
}

async function exchange(client: Client, { path, id }: RequestWish): Promise<Exchange> {
  try {
    const headers = { "x-request-id": id };
    const {
      statusCode: status,
      headers: fields,
      body,
    } = await client.request({
      method: "GET",
      path,
      headers,
      // True would keep the next one back until this one's head has come.
      blocking: false,
    });
    const bytes = await body.arrayBuffer().then(
      (whole) => Buffer.from(whole),
      () => null,
    );
    return { kind: "answer", status, headers: fields, body: bytes ?? Buffer.alloc(0), complete: bytes !== null };
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code ?? String(thrown);
    if (code === "UND_ERR_HEADERS_TIMEOUT") return { kind: "timeout", phase: "waiting" };
    const isConnecting = code === "ECONNREFUSED" || code === "UND_ERR_CONNECT_TIMEOUT";
    return { kind: "error", code, phase: isConnecting ? "connecting" : "waiting", staleConnection: false };
  }
}
