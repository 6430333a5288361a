import type { MaintenanceOrder } from "../model/maintenance.ts";
import type { ProxySettings } from "../model/proxy-settings.ts";
import type { Affinity } from "./affinity.ts";
import type { Share } from "./choose.ts";
import type { Route } from "./router.ts";
import type { UserCells } from "./user-windows.ts";

/** What the main thread and its workers tell each other. Shared memory goes as typed arrays over SharedArrayBuffers. */
type Ints = Int32Array<SharedArrayBuffer>;
type Numbers = Float64Array<SharedArrayBuffer>;

export interface PublishedInstance {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly cell: Ints;
}

export interface PublishedEnvironment {
  readonly environment: string;
  readonly release: string;
  readonly counters: Numbers;
  /** See CLIENT_CELL; null: clients do not keep to a side. */
  readonly clients: Ints | null;
  /** For its users; null: they are not counted. */
  readonly users: UserCells | null;
  readonly instances: readonly PublishedInstance[];
}

/** One version of a service's table: known to a worker before it is live, and until the worker is told to forget it. */
export interface PublishedTable {
  readonly service: string;
  readonly version: number;
  readonly cell: Ints;
  /** Rows of LEDGER: per worker, per environment in the order of `environments`. */
  readonly ledger: Numbers;
  /** Whether a deployment is under way, so that another serving environment may rescue a request. */
  readonly armed: boolean;
  readonly shares: readonly Share[];
  /** How clients keep to a side; null: they do not. */
  readonly affinity: Affinity | null;
  readonly environments: readonly PublishedEnvironment[];
}

/** Maintenance of a service: known to a worker before it is live. Off has none, and the number 0. */
export interface PublishedMode {
  readonly service: string;
  /** What the shared cell says while it is live. */
  readonly number: number;
  readonly cell: Ints;
  /** Rows of MODE_COUNTER, one per worker. */
  readonly counters: Numbers;
  readonly mode: "on" | "hold";
  readonly order: MaintenanceOrder;
}

export interface PublishedRoutes {
  readonly version: number;
  readonly routes: readonly Route[];
}

/** What the next version of the routes changes of the live one: with thousands of services, far less than all of them. */
export interface RoutesChange {
  readonly version: number;
  readonly changed: readonly Route[];
}

/** What a worker starts with. */
export interface WorkerStart {
  readonly index: number;
  readonly workers: number;
  readonly settings: ProxySettings;
  readonly processCell: Ints;
  /** Rows of DOOR, one per worker. */
  readonly door: Numbers;
  readonly tables: readonly PublishedTable[];
  readonly routes: PublishedRoutes;
  readonly modes: readonly PublishedMode[];
  /** One descriptor per listening address, this worker's own. */
  readonly fds: readonly number[];
}

/** `silent`: nothing of an answer came, and the request is whole. `endless`: WebSockets and event streams. */
export type Cuttable = "silent" | "endless" | "all";

export type ToWorker =
  | {
      readonly kind: "publish";
      readonly number: number;
      readonly tables: readonly PublishedTable[];
      readonly routes: RoutesChange | null;
      readonly modes: readonly PublishedMode[];
    }
  /** The version is live: forget the older ones, look at what is held. */
  | { readonly kind: "live"; readonly service: string; readonly version: number }
  /** Instances became healthy, or the mode changed: look at what is held. */
  | { readonly kind: "wake"; readonly service: string }
  /**
   * Of an environment's requests that were begun on version `upTo` or before and are `which`, end a `share` (0 to 1),
   * drawn at random.
   */
  | {
      readonly kind: "cut";
      readonly service: string;
      readonly environment: string;
      readonly upTo: number;
      readonly which: Cuttable;
      readonly share: number;
    }
  /** A batch of the access log has been written, or could not be. */
  | { readonly kind: "access-answered"; readonly lines: number; readonly isWritten: boolean }
  | { readonly kind: "drain"; readonly deadlineMs: number };

export type FromWorker =
  | { readonly kind: "listening" }
  | { readonly kind: "acknowledged"; readonly number: number }
  /** An instance of the service has just become unhealthy by refused connects. */
  | { readonly kind: "ejected"; readonly service: string }
  /** Whole lines of the access log; one `access-answered` follows. */
  | { readonly kind: "access"; readonly text: string; readonly lines: number }
  | { readonly kind: "drained" };
