import type { Clock } from "../model/time.ts";

/** Where text goes. */
export interface Sink {
  write(text: string): void;
  /** Whether a person looks at it. */
  readonly terminal: boolean;
  /** Width in columns now; 80 where it is no terminal. */
  readonly columns: number;
  /** Height in lines now; 24 where it is no terminal. */
  readonly rows: number;
}

export type StopSignal = "SIGINT" | "SIGTERM";

/** The outside world of the CLI; passed in by the composition root, and by tests. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdout: Sink;
  readonly stderr: Sink;
  /** Of this process. 1: it is the first of its container, and every orphan becomes its child. */
  readonly pid: number;
  /** Whether stdin is a terminal, so that questions can be answered. */
  readonly interactive: boolean;
  readonly clock: Clock;
  /** Unique text, for idempotency keys. */
  readonly uniqueKey: () => string;
  /** Takes the signal over from its default (the end of the process) until the returned function is called. */
  onStop(listener: (signal: StopSignal) => void): () => void;
}
