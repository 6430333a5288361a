import type { z } from "zod";

/** One control protocol: its calls (answered) and notices (not answered), each with the shape of what goes over the wire. */
export interface Protocol {
  readonly name: string;
  /** Versions that this build speaks, newest first; the previous one is kept and tested. */
  readonly versions: readonly number[];
  readonly calls: Readonly<Record<string, { readonly params: z.ZodType; readonly result: z.ZodType }>>;
  readonly notices: Readonly<Record<string, z.ZodType>>;
}

export type CallName<P extends Protocol> = keyof P["calls"] & string;
export type NoticeName<P extends Protocol> = keyof P["notices"] & string;
export type Params<P extends Protocol, M extends CallName<P>> = z.output<P["calls"][M]["params"]>;
export type Result<P extends Protocol, M extends CallName<P>> = z.output<P["calls"][M]["result"]>;
export type Notice<P extends Protocol, N extends NoticeName<P>> = z.output<P["notices"][N]>;

/** Keeps the exact type of a protocol while checking its form. */
export function defineProtocol<const P extends Protocol>(protocol: P): P {
  return protocol;
}
