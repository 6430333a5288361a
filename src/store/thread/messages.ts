import type { SentError } from "../../model/sent-error.ts";
import type { StoreMethod } from "../sync.ts";

/** What the store's thread is started with. */
export interface StoreThreadData {
  readonly file: string;
  /** Absolute path of the ballast; null: none. */
  readonly ballast: string | null;
}

/** Client → thread, in lists: waking a thread costs more than most calls. */
export interface CallMessage {
  readonly id: number;
  readonly method: StoreMethod;
  readonly values: readonly unknown[];
}

/** Id of the first message of a thread: whether the store is open. */
export const OPENED = 0;

/** Thread → client, in lists. */
export type AnswerMessage =
  { readonly id: number; readonly value: unknown } | { readonly id: number; readonly error: SentError };
