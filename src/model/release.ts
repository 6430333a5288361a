import type { ServiceSpec } from "./service.ts";
import type { EpochMilliseconds } from "./time.ts";

/**
 * version + artifact digest + the service's resolved configuration, frozen at deploy.
 * The same version with another configuration is another release: `v2`, `v2+1`, `v2+2`.
 */
export interface Release {
  /** Unique within the service; also the name of its folder. */
  readonly id: string;
  readonly service: string;
  /** As the person named it; what TEAL_VERSION says. */
  readonly version: string;
  /** SHA-256 (hex) over the unpacked files; null for a source of kind `none`. */
  readonly digest: string | null;
  /** Absolute folder the command runs in. */
  readonly directory: string;
  readonly spec: ServiceSpec;
  readonly createdAt: EpochMilliseconds;
  /** When its commit was made; absent: its source is no git repository, or it was frozen before this was kept. */
  readonly committedAt?: EpochMilliseconds;
}
