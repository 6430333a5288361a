import { TealError } from "../model/error.ts";
import type { ServiceStatusAnswer, TealClient } from "../sdk/client.ts";

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

function listed(names: readonly string[]): string {
  if (names.length === 0) return "is none";
  return `${names.length === 1 ? "is" : "are"} ${names.join(", ")}`;
}

/** The same, by what the server knows. */
export async function serviceOf(client: TealClient, named: string | undefined): Promise<ServiceStatusAnswer> {
  const { services } = await client.status();
  const name = chooseService(
    named,
    services.map(({ service }) => service),
  );
  const found = services.find(({ service }) => service === name);
  if (found === undefined) throw new TealError("service-unknown", `there is no service ${name}`);
  return found;
}
