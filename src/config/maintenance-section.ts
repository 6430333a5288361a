import { z } from "zod";
import type { MaintenanceSpec } from "../model/maintenance.ts";
import type { Loading } from "./loading.ts";
import { map } from "./map.ts";
import { network } from "./networks.ts";
import { pageFile } from "./page.ts";
import { duration } from "./quantities.ts";
import { distinct } from "./rule.ts";
import { integer, oneOf } from "./texts.ts";

/** `traffic.maintenance`: what `teal maintenance` does to requests. */
export function maintenanceSection(loading: Loading) {
  return map({
    page: pageFile(loading)
      .meta({
        description:
          "File that is the answer while maintenance is on, 256 KiB at most: .html, .htm, .txt, .json or .xml. Without it: a plain page of Teal's. Clients that prefer JSON get a problem document (RFC 9457) instead.",
        examples: ["./maintenance.html"],
      })
      .optional(),
    status: integer(400, 599).meta({ description: "Status of that answer." }).prefault(503),
    retryAfter: duration("1s", "1d").meta({ description: "What its `Retry-After` says." }).prefault("60s"),
    allow: z
      .array(network)
      .check(distinct)
      .meta({
        description: "Addresses and networks of clients that get the app all the same, in a hold too.",
        examples: [["203.0.113.0/24"]],
      })
      .prefault([]),
    hold: holdSection.prefault({}),
  })
    .transform(({ page, retryAfter, ...rest }): MaintenanceSpec => ({
      ...rest,
      page: page ?? null,
      retryAfterMs: retryAfter,
    }))
    .meta({ description: "What `teal maintenance` does to requests. Read anew each time that it is called." });
}

const holdSection = map({
  deadline: duration("100ms", "10m")
    .meta({ description: "Longest that one request waits; then it gets a 503." })
    .prefault("30s"),
  most: integer(1, 10_000)
    .meta({ description: "Most requests that wait at a time; the next gets a 503." })
    .prefault(1000),
  longest: duration("1s", "1d").meta({ description: "Longest that a hold lasts when nobody ends it." }).prefault("5m"),
  endsIn: oneOf(["off", "on"], "mode")
    .meta({ description: "What it becomes then: `off`, the app gets the requests, or `on`, the page." })
    .prefault("off"),
})
  .transform(({ deadline, most, longest, endsIn }) => ({ deadlineMs: deadline, most, longestMs: longest, endsIn }))
  .meta({ description: "How `teal maintenance hold` lets requests wait." });
