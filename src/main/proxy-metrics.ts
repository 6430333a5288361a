import type { ConnectionCounts } from "../model/connections.ts";
import { LATENCY_BOUNDS_MS } from "../model/latency.ts";
import type { TrafficCounters, TrafficSample } from "../model/traffic.ts";
import { MAINTENANCE_MODES, type MaintenanceCounts } from "../model/maintenance.ts";
import type { ListenCounts } from "../proxy/kernel.ts";
import type { Family, Point } from "./exposition.ts";

const CLASSES = ["1xx", "2xx", "3xx", "4xx", "5xx"] as const;

/** Every fourth of the data plane's own buckets: 0.5 ms to 28 s, each about twice the one before. */
const EVERY = 4;
const BOUNDS = LATENCY_BOUNDS_MS.flatMap((ms, index) =>
  index % EVERY === 0 ? [{ index, le: String(Number((ms / 1_000).toPrecision(3))) }] : [],
);

/** Counters of one number for each environment. */
const COUNTERS: readonly (readonly [name: string, help: string, read: (counters: TrafficCounters) => number])[] = [
  [
    "requests",
    "Requests that were answered, by the environment that the split chose first",
    ({ requests }) => requests,
  ],
  [
    "failures",
    "Of those, failures as guardrails count them: 5xx, no answer, an answer that broke off, rescued",
    ({ failures }) => failures,
  ],
  ["connect_failures", "Connects to an instance that failed", ({ connectFailures }) => connectFailures],
  ["retries", "Requests that were sent once more, to the same environment", ({ retried }) => retried],
  [
    "rescues",
    "Requests that another environment served, as no instance of this one took them",
    ({ rescued }) => rescued,
  ],
  [
    "held",
    "Requests that waited for an instance, or for the end of a hold, and were then served",
    ({ held }) => held ?? 0,
  ],
  ["upgrades", "Connections that became WebSockets or the like", ({ upgrades }) => upgrades],
  [
    "ejections",
    "Times that an instance became unhealthy, by checks or by refused connects",
    ({ ejections }) => ejections ?? 0,
  ],
];

/** What the data plane counts, from the newest sample of each service. */
export function proxyMetrics(
  samples: readonly TrafficSample[],
  connections: ConnectionCounts,
  kernel: ListenCounts,
): readonly Family[] {
  const rows = samples.flatMap(({ service, environments }) =>
    Object.entries(environments).map(([environment, counters]) => ({ labels: { service, environment }, counters })),
  );
  const points = (read: (counters: TrafficCounters) => number): Point[] =>
    rows.map(({ labels, counters }) => ({ labels, value: read(counters) }));
  return [
    ...COUNTERS.map(([name, help, read]) => counter(`teal_proxy_${name}_total`, help, points(read))),
    counter(
      "teal_proxy_responses_total",
      "Answers by class of their status; an upgrade is a 1xx",
      rows.flatMap(({ labels, counters }) =>
        CLASSES.map((name, index) => ({ labels: { ...labels, class: name }, value: counters.classes[index] ?? 0 })),
      ),
    ),
    {
      name: "teal_proxy_latency_seconds",
      type: "histogram",
      help: "Time from the request's last byte to the answer's first; upgrades and event streams left out",
      points: rows.flatMap(({ labels, counters }) => histogram(labels, counters)),
    },
    {
      name: "teal_proxy_in_flight",
      type: "gauge",
      help: "Requests and upgraded connections under way",
      points: points(({ inFlight }) => inFlight),
    },
    counter(
      "teal_proxy_switches_total",
      "Changes of the split that the proxy made live, reverts too",
      samples.map(({ service, switches }) => ({ labels: { service }, value: switches ?? 0 })),
    ),
    ...maintenanceFamilies(samples),
    ...connectionFamilies(connections),
    counter(
      "teal_kernel_listen_overflows_total",
      "Connections to any port of this machine that found the accept queue full, since it started",
      [{ labels: {}, value: kernel.listenOverflows }],
    ),
    counter(
      "teal_kernel_listen_drops_total",
      "Connections that a listening socket of this machine dropped, for that or any other reason, since it started",
      [{ labels: {}, value: kernel.listenDrops }],
    ),
  ];
}

function connectionFamilies({ accepted, open, logged, dropped, refused }: ConnectionCounts): Family[] {
  return [
    counter("teal_proxy_connections_accepted_total", "Connections of clients that were accepted", [
      { labels: {}, value: accepted },
    ]),
    {
      name: "teal_proxy_connections_open",
      type: "gauge",
      help: "Connections of clients that are open",
      points: [{ labels: {}, value: open }],
    },
    counter("teal_proxy_access_log_lines_total", "Lines of the access log that were written", [
      { labels: {}, value: logged },
    ]),
    counter(
      "teal_proxy_access_log_dropped_total",
      "Lines of the access log that were not, as the disk did not take them",
      [{ labels: {}, value: dropped }],
    ),
    counter(
      "teal_proxy_refused_total",
      "Connections that the proxy closed, and requests that it answered itself, by reason",
      Object.entries(refused).map(([reason, value]) => ({ labels: { reason }, value })),
    ),
  ];
}

/** Of each service that was told of. */
function maintenanceFamilies(samples: readonly TrafficSample[]): Family[] {
  const told = samples.flatMap(({ service, maintenance }) =>
    maintenance === undefined ? [] : [{ service, maintenance }],
  );
  const points = (read: (counts: MaintenanceCounts) => number): Point[] =>
    told.map(({ service, maintenance }) => ({ labels: { service }, value: read(maintenance) }));
  return [
    {
      name: "teal_proxy_maintenance",
      type: "gauge",
      help: "1 for the mode that a service has",
      points: told.flatMap(({ service, maintenance }) =>
        MAINTENANCE_MODES.map((mode) => ({ labels: { service, mode }, value: Number(maintenance.mode === mode) })),
      ),
    },
    counter(
      "teal_proxy_maintenance_answers_total",
      "Requests that were answered by Teal as the service is under maintenance",
      points(({ answered }) => answered),
    ),
    counter(
      "teal_proxy_hold_requests_total",
      "Requests that came into a hold",
      points(({ held }) => held),
    ),
    counter(
      "teal_proxy_hold_released_total",
      "Of those, given to the app when the hold ended",
      points(({ released }) => released),
    ),
    counter(
      "teal_proxy_hold_timeouts_total",
      "Of those, refused: they had waited for as long as they may, or too many waited",
      points(({ timedOut }) => timedOut),
    ),
    {
      name: "teal_proxy_waiting",
      type: "gauge",
      help: "Requests that wait now, for the end of a hold or for an instance",
      points: points(({ waiting }) => waiting),
    },
  ];
}

function counter(name: string, help: string, points: readonly Point[]): Family {
  return { name, type: "counter", help, points };
}

function histogram(labels: Point["labels"], { latency, latencySumMs }: TrafficCounters): Point[] {
  const upTo = (end: number): number => latency.slice(0, end).reduce((sum, count) => sum + count, 0);
  const count = upTo(latency.length);
  const buckets = [...BOUNDS.map(({ index, le }) => ({ le, value: upTo(index + 1) })), { le: "+Inf", value: count }];
  return [
    ...buckets.map(({ le, value }): Point => ({ labels: { ...labels, le }, value, suffix: "_bucket" })),
    { labels, value: (latencySumMs ?? 0) / 1_000, suffix: "_sum" },
    { labels, value: count, suffix: "_count" },
  ];
}
