/** What a data plane counts of connections since it began; sums over all its processes. */
export interface ConnectionCounts {
  /** Connections of clients that were accepted. */
  readonly accepted: number;
  /** Of those, open now. */
  readonly open: number;
  /** Lines of the access log that were written, and that the disk did not take. */
  readonly logged: number;
  readonly dropped: number;
  /** Connections closed, and requests answered, by the data plane itself, by reason. */
  readonly refused: Readonly<Record<string, number>>;
}

export const NO_CONNECTIONS: ConnectionCounts = { accepted: 0, open: 0, logged: 0, dropped: 0, refused: {} };

export function addConnections(a: ConnectionCounts, b: ConnectionCounts): ConnectionCounts {
  const refused: Record<string, number> = { ...a.refused };
  for (const [reason, count] of Object.entries(b.refused)) refused[reason] = (refused[reason] ?? 0) + count;
  return {
    accepted: a.accepted + b.accepted,
    open: a.open + b.open,
    logged: a.logged + b.logged,
    dropped: a.dropped + b.dropped,
    refused,
  };
}
