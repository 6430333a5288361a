import type { Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import {
  CancellationTokenSource,
  ConnectionError,
  createMessageConnection,
  ErrorCodes,
  type MessageConnection,
  type MessageStrategy,
  ParameterStructures,
  ResponseError,
  SocketMessageReader,
  SocketMessageWriter,
} from "vscode-jsonrpc/node";
import { type ErrorCode, isErrorCode } from "../model/catalogue.ts";
import { TealError, toTealError } from "../model/error.ts";
import type { Milliseconds } from "../model/time.ts";
import { takeTurnsTogether } from "./message-turns.ts";
import type { CallName, Notice, NoticeName, Params, Protocol, Result } from "./protocol.ts";

/** JSON-RPC 2.0, "Error object": -32000 to -32099 are the implementation's own. Ours carry a catalogue code in `data`. */
const TEAL_ERROR = -32000;
const CALL_MS: Milliseconds = 10_000;
/** A message may be decoded in one turn of the event loop and handled in the next. */
const QUIET_TURNS = 3;

takeTurnsTogether();

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Longest wait for the answer; 10 s unless told. */
  readonly timeoutMs?: Milliseconds;
}

interface Limits {
  /** Rejects when the first of them is passed. */
  readonly passed: Promise<never>;
}

export interface CallInfo<P extends Protocol> {
  /** This end of the connection that it came by. */
  readonly peer: Peer<P>;
}

export type Handlers<P extends Protocol> = {
  readonly [M in CallName<P>]: (params: Params<P, M>, info: CallInfo<P>) => Result<P, M> | Promise<Result<P, M>>;
};

/**
 * One end of a control connection: typed calls and notices over JSON-RPC, checked against the protocol's shapes on both
 * ends. Errors arrive as the TealError that was thrown on the other side.
 */
export class Peer<P extends Protocol> {
  readonly protocol: P;
  /** The version of the protocol that both ends speak, as the handshake agreed; 0 before it. */
  version = 0;
  /** Resolves when the connection has ended, whoever ended it, and all that came before has been heard. Never rejects. */
  readonly closed: Promise<void>;
  readonly #connection: MessageConnection;
  readonly #listeners = new Map<string, ((params: unknown) => void)[]>();
  readonly #socket: Socket;
  readonly #goneSignal: AbortSignal;
  readonly #gone: ErrorCode;
  /** How to end the wait of each call that has no answer yet. */
  readonly #calls = new Set<(reason: unknown) => void>();
  #isOver = false;
  #handled = 0;

  /** `gone`: the code of the error of calls that the end of the connection cut. */
  constructor(socket: Socket, protocol: P, gone: ErrorCode = "internal") {
    this.protocol = protocol;
    this.#socket = socket;
    this.#gone = gone;
    const messageStrategy: MessageStrategy = {
      handleMessage: (message, handle) => {
        this.#handled += 1;
        return handle(message);
      },
    };
    this.#connection = createMessageConnection(
      new SocketMessageReader(socket),
      new SocketMessageWriter(socket),
      undefined,
      { messageStrategy },
    );
    const ended = new AbortController();
    this.#goneSignal = ended.signal;
    this.closed = new Promise((resolve) => socket.once("close", resolve)).then(async () => {
      this.#isOver = true;
      await this.#lastWords();
      const reason = new TealError(gone, `the ${protocol.name} connection is gone`);
      ended.abort(reason);
      for (const pass of this.#calls) pass(reason);
      this.#connection.dispose();
    });
    // A reset is the connection's end, which `closed` tells; an unhandled "error" would end the process.
    socket.on("error", () => socket.destroy());
    this.#connection.onError(() => socket.destroy());
  }

  /** Nothing can be sent any more; what has arrived may still be heard, until {@link closed}. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** The other end may have answered and gone at once: what has arrived is not lost because the end arrived with it. */
  async #lastWords(): Promise<void> {
    for (let quiet = 0; quiet < QUIET_TURNS;) {
      const before = this.#handled;
      await turn();
      quiet = this.#handled > before ? 0 : quiet + 1;
    }
  }

  /** @throws the other side's TealError, `deadline-passed`, or the reason of the signal. */
  async call<M extends CallName<P>>(method: M, params: Params<P, M>, options: CallOptions = {}): Promise<Result<P, M>> {
    options.signal?.throwIfAborted();
    this.#goneSignal.throwIfAborted();
    const cancel = new CancellationTokenSource();
    using limits = this.#limits(method, options, () => {
      // Nobody is left to be told; the library would write the failure to the console.
      if (!this.#isOver) cancel.cancel();
    });
    try {
      const answer: unknown = await Promise.race([
        this.#connection.sendRequest(method, ParameterStructures.byName, params, cancel.token),
        limits.passed,
      ]);
      return this.#shape(method).result.parse(answer) as Result<P, M>;
    } catch (thrown) {
      throw fromWire(thrown, this.protocol.name, this.#gone);
    } finally {
      cancel.dispose();
    }
  }

  /**
   * What a call waits for no longer than: its deadline, its caller and this connection. By hand, as composing signals is
   * what costs most of a call, and there are thousands in a second.
   */
  #limits(method: string, { signal, timeoutMs = CALL_MS }: CallOptions, onPassed: () => void): Limits & Disposable {
    const { promise: passed, reject } = Promise.withResolvers<never>();
    const pass = (reason: unknown): void => {
      onPassed();
      reject(toTealError(reason));
    };
    const onAbort = (): void => {
      pass(signal?.reason);
    };
    const timer = setTimeout(() => {
      const what = `${this.protocol.name} call ${method}`;
      pass(new TealError("deadline-passed", `${what} took longer than ${String(timeoutMs)} ms`));
    }, timeoutMs);
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#calls.add(pass);
    return {
      passed,
      [Symbol.dispose]: () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
        this.#calls.delete(pass);
      },
    };
  }

  /** Sends a notice; one that cannot be sent any more is dropped, as the connection's end tells the other side more. */
  notify<N extends NoticeName<P>>(notice: N, params: Notice<P, N>): void {
    if (this.#isOver) return;
    this.#connection.sendNotification(notice, ParameterStructures.byName, params).catch(() => this.#socket.destroy());
  }

  /** Any number may listen to the same notice; they are called in the order in which they came. */
  onNotice<N extends NoticeName<P>>(notice: N, listener: (params: Notice<P, N>) => void): void {
    const listeners = this.#listeners.get(notice);
    if (listeners !== undefined) {
      listeners.push(listener as (params: unknown) => void);
      return;
    }
    const all = [listener as (params: unknown) => void];
    this.#listeners.set(notice, all);
    const shape = this.protocol.notices[notice];
    // The library keeps one handler of each: a second registration would silence the first.
    this.#connection.onNotification(notice, (raw: unknown) => {
      const params: unknown = shape?.parse(raw);
      for (const each of all) each(params);
    });
  }

  handle(handlers: Handlers<P>): void {
    for (const method of Object.keys(this.protocol.calls) as CallName<P>[]) {
      this.onCall(method, handlers[method]);
    }
  }

  onCall<M extends CallName<P>>(method: M, handler: Handlers<P>[M]): void {
    this.#connection.onRequest(method, async (raw: unknown) => {
      try {
        const params = this.#shape(method).params.parse(raw ?? {}) as Params<P, M>;
        return await handler(params, { peer: this });
      } catch (thrown) {
        return toWire(thrown);
      }
    });
  }

  /** Begins to read. Register calls and notices first. */
  listen(): void {
    this.#connection.listen();
  }

  close(): void {
    this.#socket.destroy();
  }

  #shape(method: string): Protocol["calls"][string] {
    const shape = this.protocol.calls[method];
    if (shape === undefined)
      throw new TealError("internal", `the ${this.protocol.name} protocol has no call ${method}`);
    return shape;
  }
}

interface WireError {
  readonly code: string;
  readonly remedy: string;
}

function toWire(thrown: unknown): ResponseError<WireError> {
  const error = toTealError(thrown);
  return new ResponseError(TEAL_ERROR, error.message, { code: error.code, remedy: error.remedy });
}

function fromWire(thrown: unknown, protocol: string, gone: ErrorCode): TealError {
  if (thrown instanceof ResponseError && thrown.code === ErrorCodes.MethodNotFound) {
    const message = `the other end is of a version without this call of ${protocol}: ${thrown.message}`;
    return new TealError("protocol-mismatch", message, { cause: thrown });
  }
  // The other end had gone, and this end has only heard of it by writing: the library has no error of its own for that.
  if (thrown instanceof ResponseError && thrown.code === ErrorCodes.MessageWriteError) {
    return new TealError(gone, `the ${protocol} connection is gone: ${thrown.message}`, { cause: thrown });
  }
  if (thrown instanceof ResponseError) {
    const data = thrown.data as Partial<WireError> | undefined;
    const code = data?.code ?? "internal";
    return new TealError(isErrorCode(code) ? code : "internal", thrown.message, {
      cause: thrown,
      ...(data?.remedy === undefined ? {} : { remedy: data.remedy }),
    });
  }
  if (thrown instanceof ConnectionError) {
    return new TealError(gone, `the ${protocol} connection is gone`, { cause: thrown });
  }
  return toTealError(thrown);
}
