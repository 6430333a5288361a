import { caddy } from "./caddy.ts";
import { haproxy } from "./haproxy.ts";
import { nginx } from "./nginx.ts";
import type { Rival } from "./rival.ts";

/** What Teal is compared with. */
export const RIVALS: readonly Rival[] = [haproxy, nginx, caddy];
