import { TealError } from "../model/error.ts";
import type { Permission } from "../model/token.ts";
import type { ServiceStatusAnswer, StatusAnswer, TealClient } from "../sdk/client.ts";

/**
 * The service that a command is about: the one named, else the only one that there is.
 * @throws `service-unknown`, `usage` when there are several to choose from
 */
export function chooseService(named: string | undefined, known: readonly string[]): string {
  if (named !== undefined) {
    if (known.includes(named)) return named;
    throw new TealError("service-unknown", `there is no service ${named}; there ${listed(known)}`);
  }
  const [only, ...others] = known;
  if (only !== undefined && others.length === 0) return only;
  throw new TealError("usage", `name the service: there ${listed(known)}`, { remedy: "Put its name after the verb." });
}

/** @throws `forbidden`; a server that does not tell decides when it is asked */
export function requirePermission(permissions: StatusAnswer["permissions"], needed: Permission): void {
  if (permissions === undefined || permissions.includes(needed)) return;
  throw new TealError("forbidden", `this token may not do that: it needs the permission to ${needed}`);
}

function listed(names: readonly string[]): string {
  if (names.length === 0) return "is none";
  return `${names.length === 1 ? "is" : "are"} ${names.join(", ")}`;
}

/**
 * The same, by what the server knows. `needed`: for what, where it may turn out that there is nothing to do: that is told
 * only to who may do it.
 * @throws also `forbidden`
 */
export async function serviceOf(
  client: TealClient,
  named: string | undefined,
  needed: Permission = "read",
): Promise<ServiceStatusAnswer> {
  const { services, permissions } = await client.status();
  requirePermission(permissions, needed);
  const name = chooseService(
    named,
    services.map(({ service }) => service),
  );
  const found = services.find(({ service }) => service === name);
  if (found === undefined) throw new TealError("service-unknown", `there is no service ${name}`);
  return found;
}
