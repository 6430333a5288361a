import type { FastifyInstance } from "fastify";
import type { Control } from "../engine/control.ts";
import type { Tokens } from "../engine/tokens.ts";
import type { ApiListen } from "../model/api-listen.ts";
import type { Report } from "../model/error.ts";
import type { Clock } from "../model/time.ts";
import type { ServerInfo } from "../server/info.ts";
import { listenOnSocket } from "../server/listen.ts";
import { createServer } from "../server/server.ts";
import { TcpApi } from "../server/tcp.ts";

export interface ApiParts {
  readonly control: Control;
  readonly tokens: Tokens;
  /** As teal.yaml says. */
  readonly tcp: ApiListen;
  readonly info: Pick<ServerInfo, "version" | "listeners" | "metrics" | "answered">;
  readonly clock: Clock;
  readonly report: Report;
}

/** The API on both its channels: the unix socket always, TCP while a token is valid. */
export class Api {
  readonly #socket: FastifyInstance;
  readonly #tcp: TcpApi;

  constructor({ control, tokens, tcp, info, clock, report }: ApiParts) {
    const reach = async () => {
      await this.#tcp.settle();
      const { address, problem } = this.#tcp.state;
      return { address, problem: problem?.message ?? null };
    };
    const all: ServerInfo = {
      ...info,
      tokens,
      reach,
      report: (problem, request) => {
        report(problem, { ...request });
      },
    };
    this.#socket = createServer(control, all);
    this.#tcp = new TcpApi({
      listen: tcp.listen,
      tokens,
      clock,
      make: () => createServer(control, { ...all, channel: "tcp", hosts: tcp.hosts }),
      report: (problem) => {
        report(problem, { doing: "serving the API over its unix socket alone" });
      },
    });
    tokens.changed = () => {
      void this.#tcp.settle();
    };
  }

  /** @throws `state-directory` when the socket cannot be made; an address that is taken is reported and tried again */
  async listen(socket: string, signal: AbortSignal): Promise<void> {
    await listenOnSocket(this.#socket, socket);
    await this.#tcp.settle();
    void this.#tcp.watch(signal);
  }

  async close(): Promise<void> {
    await Promise.all([this.#tcp.close(), this.#socket.close()]);
  }
}
