import { deflateRawSync, inflateRawSync } from "node:zlib";
import { z } from "zod";
import type { SeriesChunk } from "../../model/series.ts";
import type { EpochMilliseconds } from "../../model/time.ts";
import { seriesChunk } from "../stored/series-chunk.ts";
import type { Database } from "./database.ts";
import { json } from "./json.ts";

const chunk = json(seriesChunk);
/** Compressed: a piece is mostly small numbers, and takes a tenth of its text. */
const row = z.object({
  number: z.int(),
  chunk: z
    .instanceof(Uint8Array)
    .transform((bytes, context): unknown => {
      try {
        return inflateRawSync(bytes).toString("utf8");
      } catch {
        context.issues.push({ code: "custom", message: "not compressed text", input: bytes });
        return z.NEVER;
      }
    })
    .pipe(chunk),
});

/** By their numbers. */
export function series(database: Database, deployment: string): SeriesChunk[] {
  return database
    .all(row, "SELECT number, chunk FROM series WHERE deployment = ? ORDER BY number", deployment)
    .map((found) => ({ ...found.chunk, number: found.number }));
}

/** That of the highest number. */
export function lastSeries(database: Database, deployment: string): SeriesChunk | null {
  const sql = "SELECT number, chunk FROM series WHERE deployment = ? ORDER BY number DESC LIMIT 1";
  const found = database.first(row, sql, deployment);
  return found === null || found === undefined ? null : { ...found.chunk, number: found.number };
}

/** One of the same number replaces what was there. */
export function putSeries(database: Database, { number, ...given }: SeriesChunk): void {
  database.run(
    `INSERT INTO series (deployment, number, chunk) VALUES (?, ?, ?)
     ON CONFLICT (deployment, number) DO UPDATE SET chunk = excluded.chunk`,
    given.deployment,
    number,
    deflateRawSync(JSON.stringify(given)),
  );
}

/** Removes those of deployments that ended before `before`. */
export function pruneSeries(database: Database, before: EpochMilliseconds): void {
  database.run("DELETE FROM series WHERE deployment IN (SELECT id FROM deployments WHERE ended_at < ?)", before);
}
