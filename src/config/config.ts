import type { ApiListen } from "../model/api-listen.ts";
import type { ProxySettings } from "../model/proxy-settings.ts";
import type { ServiceSpec } from "../model/service.ts";

/** teal.yaml, checked, with every default filled in. Frozen. */
export interface TealConfig {
  /** Absolute path of the file. */
  readonly file: string;
  /** Its folder: what relative paths start at. */
  readonly directory: string;
  readonly proxy: { readonly listen: readonly string[]; readonly settings: ProxySettings };
  readonly server: ApiListen;
  readonly services: Readonly<Record<string, ServiceSpec>>;
  /** Names X of all `${env:X}` in the file: what a deploy request may bring values for. */
  readonly references: readonly string[];
}
