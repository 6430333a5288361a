import { spreadOf } from "../model/drain.ts";
import type { TrafficSpec } from "../model/service.ts";
import { durationText } from "./duration-text.ts";

/** What a switch away from `environment` may cut, and when, by the traffic section that it makes live. */
export function cutWarning(environment: string, { drainMs, longLivedMs }: TrafficSpec): string {
  const lastMs = Math.max(drainMs, longLivedMs);
  const spread = lastMs === 0 ? "" : `, in batches over ${durationText(spreadOf(lastMs))}`;
  return (
    `What may be cut on ${environment}: requests without an answer ${durationText(drainMs)} after the switch; ` +
    `WebSockets, event streams and transfers under way ${durationText(lastMs)} after it${spread}.`
  );
}
