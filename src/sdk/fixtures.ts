import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { EventAnswer } from "../api/answers.ts";

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: unknown;
}

type Answer = { readonly status?: number; readonly json: unknown; readonly type?: string };
type Route = (asked: Asked) => Answer | Promise<Answer>;

/** A small real HTTP server on a unix socket that answers with canned documents, streams events, and can be restarted. */
export class CannedServer {
  readonly folder: string;
  readonly socket: string;
  readonly asked: Asked[] = [];
  /** What the event stream replays: those after `after`. */
  readonly events: EventAnswer[] = [];
  readonly routes = new Map<string, Route>();
  readonly #streams = new Set<ServerResponse>();
  #server: Server | null = null;

  private constructor(folder: string, socket: string) {
    this.folder = folder;
    this.socket = socket;
  }

  /** In `folder` as `.teal/teal.sock` would be, or in one of its own. */
  static async start(folder?: string, socket?: string): Promise<CannedServer> {
    const own = folder ?? (await mkdtemp(join(tmpdir(), "teal-canned-")));
    const server = new CannedServer(own, socket ?? join(own, "teal.sock"));
    await server.listen();
    return server;
  }

  on(methodAndPath: string, route: Route): this {
    this.routes.set(methodAndPath, route);
    return this;
  }

  json(methodAndPath: string, json: unknown, status = 200): this {
    return this.on(methodAndPath, () => ({ status, json }));
  }

  emit(...events: readonly EventAnswer[]): void {
    this.events.push(...events);
    for (const stream of this.#streams) for (const event of events) stream.write(sse(event));
  }

  /** Event streams that stand now. */
  get streams(): number {
    return this.#streams.size;
  }

  /** Breaks every event stream off in the middle. */
  cutStreams(): void {
    for (const stream of this.#streams) stream.destroy();
  }

  async listen(): Promise<void> {
    const server = createServer((request, response) => {
      this.#handle(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.socket, resolve));
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    await new Promise<void>((resolve) => {
      server.close(() => {
        resolve();
      });
      server.closeAllConnections();
    });
  }

  async close(): Promise<void> {
    await this.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://localhost");
    let text = "";
    for await (const chunk of request) text += String(chunk);
    const method = request.method ?? "GET";
    const body: unknown = text === "" ? undefined : JSON.parse(text);
    const asked = { method, path: url.pathname, query: url.searchParams, headers: request.headers, body };
    this.asked.push(asked);
    if (url.pathname === "/v1/events") {
      this.#stream(asked, response);
      return;
    }
    const route = this.routes.get(`${method} ${url.pathname}`);
    const missing: Answer = { status: 404, json: problem("not-found", `no ${method} ${url.pathname}`, 404) };
    const { status = 200, json, type = "application/json" } = route === undefined ? missing : await route(asked);
    response.writeHead(status, { "content-type": type }).end(typeof json === "string" ? json : JSON.stringify(json));
  }

  #stream({ query }: Asked, response: ServerResponse): void {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(": hello\n\n");
    const after = query.get("after");
    if (after !== null) {
      for (const event of this.events) if (event.seq > Number(after)) response.write(sse(event));
    }
    if (query.get("follow") === "false") {
      response.end();
      return;
    }
    this.#streams.add(response);
    response.once("close", () => this.#streams.delete(response));
  }
}

function sse(event: EventAnswer): string {
  return `id: ${String(event.seq)}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

export function problem(code: string, detail: string, status: number): unknown {
  return { type: `urn:teal:error:${code}`, title: code, status, detail, code, remedy: `mend ${code}`, problems: [] };
}

export function event(seq: number, type: EventAnswer["type"], data: EventAnswer["data"], step?: string): EventAnswer {
  const at = 1_700_000_000_000 + seq * 1_000;
  return { seq, at, service: "web", deployment: "dep_1", type, ...(step === undefined ? {} : { step }), data };
}

/** Polls until `done`, for at most 5 s. */
export async function eventually(done: () => boolean, what: string): Promise<void> {
  const until = performance.now() + 5_000;
  while (!done()) {
    if (performance.now() > until) throw new Error(`not within 5 s: ${what}`);
    await wait(5);
  }
}
