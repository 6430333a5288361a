import { z } from "zod";
import { affinity } from "./affinity.ts";
import type { Loading } from "./loading.ts";
import { maintenanceSection } from "./maintenance-section.ts";
import { map } from "./map.ts";
import { duration } from "./quantities.ts";
import { distinct } from "./rule.ts";
import { hostName, oneOf, pathPrefix } from "./texts.ts";

/** `traffic`: which requests are the service's, and how they move. */
export function trafficSection(loading: Loading) {
  const [firstDriver = ""] = loading.trafficDrivers;
  return map({
    driver: oneOf(loading.trafficDrivers, "driver")
      .meta({ description: "What splits the traffic between the environments." })
      .prefault(firstDriver),
    hosts: z
      .array(hostName)
      .check(distinct)
      .meta({
        description: "Host names of the service, without ports; none: every host that no other service names.",
        examples: [["shop.example.com"]],
      })
      .prefault([]),
    paths: z
      .array(pathPrefix)
      .min(1)
      .check(distinct)
      .meta({
        description: "Path prefixes of the service, in whole segments. Among services the longest match wins.",
        examples: [["/"]],
      })
      .prefault(["/"]),
    drain: duration("0", "1d")
      .meta({ description: "Time that requests in flight on the old side get after a switch." })
      .prefault("30s"),
    longLived: duration("0", "7d")
      .meta({ description: "The same for WebSockets, event streams, and transfers under way." })
      .prefault("5m"),
    onControllerLoss: oneOf(["revert", "keep"], "choice")
      .meta({
        description:
          "What the proxy does by itself when the control plane is silent for 15 s in the middle of a shift: give all traffic back to the old environment, or keep the split.",
      })
      .prefault("revert"),
    affinity: affinity
      .meta({
        description:
          "What keeps a client on one side while both serve: its cookie or header of that name, or its address. Clients then move to the new environment only, as its weight grows, and back only by a revert. A request without it is drawn by weight alone.",
        examples: [{ cookie: "session" }],
      })
      .prefault("none"),
    maintenance: maintenanceSection(loading).optional(),
  })
    .transform(({ drain, longLived, affinity, maintenance, ...rest }) => ({
      ...rest,
      drainMs: drain,
      longLivedMs: longLived,
      ...(affinity === null ? {} : { affinity }),
      ...(maintenance === undefined ? {} : { maintenance }),
    }))
    .meta({ description: "Which requests are the service's, and how they move from one environment to the other." });
}
