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

/** In the order in which they happened. */
export function series(database: Database, deployment: string): SeriesChunk[] {
  return database
    .all(row, "SELECT chunk FROM series WHERE deployment = ? ORDER BY began_at", deployment)
    .map((found) => found.chunk);
}

/** The same piece again replaces itself. */
export function putSeries(database: Database, given: SeriesChunk): void {
  database.run(
    `INSERT INTO series (deployment, began_at, chunk) VALUES (?, ?, ?)
     ON CONFLICT (deployment, began_at) DO UPDATE SET chunk = excluded.chunk`,
    given.deployment,
    given.from,
    deflateRawSync(JSON.stringify(given)),
  );
}

/** Removes those of deployments that ended before `before`. */
export function pruneSeries(database: Database, before: EpochMilliseconds): void {
  database.run("DELETE FROM series WHERE deployment IN (SELECT id FROM deployments WHERE ended_at < ?)", before);
}
