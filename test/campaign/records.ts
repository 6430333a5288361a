import { DatabaseSync } from "node:sqlite";
import type { TealEvent } from "../../src/model/event.ts";
import type { DeploymentFact, Evidence, JournalRow, StepFact } from "./evidence.ts";

type Row = Readonly<Record<string, unknown>>;

/** The tables of a store's file as they stand, read past Teal's own code. */
export function recordsOf(
  file: string,
  service: string,
): Pick<Evidence, "events" | "journal" | "deployments" | "steps" | "record" | "versions"> {
  const database = new DatabaseSync(file, { readOnly: true, timeout: 5_000 });
  try {
    const all = (sql: string, ...values: string[]): Row[] => database.prepare(sql).all(...values);
    const [row] = all("SELECT weights, active FROM services WHERE service = ?", service);
    return {
      events: all("SELECT * FROM events ORDER BY rowid").map(
        ({ seq, at, service: about, deployment, type, step, data }) =>
          ({ seq, at, service: about, deployment, type, step, data: JSON.parse(String(data)) }) as TealEvent,
      ),
      journal: {
        rows: all("SELECT * FROM events ORDER BY seq").map((row) => ({ ...row, hash: hex(row["hash"]) }) as JournalRow),
        gaps: all("SELECT * FROM event_gaps").length,
        head:
          all("SELECT seq, hash FROM event_head").map(({ seq, hash }) => ({ seq: Number(seq), hash: hex(hash) }))[0] ??
          null,
      },
      deployments: all("SELECT * FROM deployments WHERE service = ? ORDER BY position", service).map(deploymentFact),
      steps: all(
        "SELECT deployment, id, state, started_at AS startedAt, ended_at AS endedAt FROM steps ORDER BY position",
      ) as unknown as StepFact[],
      record: {
        weights: JSON.parse((row?.["weights"] ?? "{}") as string) as Record<string, number>,
        active: (row?.["active"] ?? null) as string | null,
      },
      versions: Object.fromEntries(
        all(
          "SELECT e.name, r.version FROM environments e JOIN releases r ON r.service = e.service AND r.id = e.release WHERE e.service = ?",
          service,
        ).map(({ name, version }) => [String(name), String(version)]),
      ),
    };
  } finally {
    database.close();
  }
}

function hex(value: unknown): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString("hex") : "none";
}

function deploymentFact(row: Row): DeploymentFact {
  return {
    id: String(row["id"]),
    goal: String(row["goal"]),
    state: String(row["state"]),
    from: row["from_environment"] as string | null,
    to: String(row["to_environment"]),
    version: row["version"] as string | null,
    touchedTraffic: row["touched_traffic"] === 1,
    cause: causeOf(row["cause"] as string | null),
  };
}

function causeOf(text: string | null): string | null {
  if (text === null) return null;
  const { kind, code } = JSON.parse(text) as { readonly kind: string; readonly code?: string };
  return code ?? kind;
}
