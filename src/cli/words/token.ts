import type { ApiReachAnswer, TokenAnswer } from "../../sdk/client.ts";
import type { EpochMilliseconds } from "../../model/time.ts";
import { relative } from "./duration.ts";

export function servicesOf({ services }: Pick<TokenAnswer, "services">): string {
  return services === null ? "all" : services.join(", ");
}

export function expiry({ expiresAt }: Pick<TokenAnswer, "expiresAt">, now: EpochMilliseconds): string {
  if (expiresAt === null) return "never";
  return expiresAt <= now ? `expired ${relative(expiresAt, now)}` : relative(expiresAt, now);
}

/** `deployer of web, expires in 90 d`. */
export function tokenScope(token: TokenAnswer, now: EpochMilliseconds): string {
  const of = token.services === null ? "all services" : servicesOf(token);
  const until = token.expiresAt === null ? "does not expire" : `expires ${expiry(token, now)}`;
  return `${token.role} of ${of}, ${until}`;
}

/** Where the API answers over TCP, or why it does not. */
export function reach({ address, problem }: ApiReachAnswer): string[] {
  if (address !== null) return [`The API answers at http://${address}: TEAL_URL and TEAL_TOKEN lead the CLI there.`];
  return problem === null ? ["The API over TCP is closed: no token is valid."] : [`Not reachable: ${problem}`];
}
