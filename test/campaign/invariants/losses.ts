import { beyondAllowance } from "../../../bench/lib/allowance.ts";
import type { Evidence } from "../evidence.ts";

/** No request is lost beyond what the death of the process that had it allows. */
export function losses({ losses: lost, kills }: Evidence): readonly string[] {
  return beyondAllowance(lost, kills).map((loss) => `lost: ${JSON.stringify(loss)}`);
}
