import { existsSync } from "node:fs";
import { get } from "node:http";
import { DatabaseSync } from "node:sqlite";
import type { Weights } from "../../src/model/traffic.ts";
import type { SavedService } from "../../src/proxy/snapshot-state.ts";
import type { IntentFact, RecordSeen } from "./evidence.ts";

type Row = Readonly<Record<string, unknown>>;

/** Longest that an instance is waited for. */
const ANSWER_MS = 1_000;

/** The record at the moment that a split was found live, read past Teal; null: it could not be read just then. */
export function recordNow(
  file: string,
  service: string,
  deployment: string | null,
): Omit<RecordSeen, "healthy"> | null {
  if (!existsSync(file)) return null;
  try {
    using database = new DatabaseSync(file, { readOnly: true, timeout: 1_000 });
    const all = (sql: string, ...values: (string | null)[]): Row[] => database.prepare(sql).all(...values);
    const [row] = all("SELECT weights FROM services WHERE service = ?", service);
    const steps = all("SELECT id, uses, state, input, progress FROM steps WHERE deployment = ?", deployment);
    const asked = all("SELECT data FROM events WHERE type = 'traffic-asked' AND service = ? ORDER BY rowid", service);
    const [back] = all(
      "SELECT from_environment AS name FROM deployments WHERE service = ? AND state IN ('frozen', 'rolling-back')",
      service,
    );
    return {
      weights: parsed(row?.["weights"]) as Weights,
      steps: steps.map(intentOf),
      asked: asked.map(({ data }) => parsed(data) as unknown as RecordSeen["asked"][number]),
      goingBackTo: (back?.["name"] ?? null) as string | null,
    };
  } catch (thrown) {
    // Just replaced by another one, or its server has just been killed: evidence counts how often this is so.
    if ((thrown as { code?: string }).code === "ERR_SQLITE_ERROR") return null;
    throw thrown;
  }
}

function intentOf({ id, uses, state, input, progress }: Row): IntentFact {
  const { weights = null, force = false } = parsed(input);
  const { generation = null } = parsed(progress);
  return { id, uses, state, weights, generation, forced: force } as IntentFact;
}

function parsed(text: unknown): Record<string, unknown> {
  return JSON.parse(typeof text === "string" ? text : "{}") as Record<string, unknown>;
}

/** Counts instances that the data plane was given for each environment, and that say themselves that they are healthy. */
export async function askHealth({ table }: SavedService, healthy: Record<string, number>): Promise<void> {
  const asked = (table?.backends ?? []).map(async ({ environment, instances }) => {
    const answers = await Promise.all(instances.map(({ address }) => isHealthy(address)));
    healthy[environment] = answers.filter((answer) => answer).length;
  });
  await Promise.all(asked);
}

function isHealthy(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    get(`http://${address}/health`, { agent: false, timeout: ANSWER_MS }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    })
      .once("timeout", function (this: { destroy: () => void }) {
        this.destroy();
      })
      .once("error", () => {
        resolve(false);
      });
  });
}
