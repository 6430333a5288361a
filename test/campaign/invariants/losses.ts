import { beyondAllowance } from "../../../bench/lib/allowance.ts";
import type { Evidence } from "../evidence.ts";

/** No request is lost beyond what the death of the process that had it allows, or while the machine was down. */
export function losses({ losses: lost, kills, outages }: Evidence): readonly string[] {
  const served = lost.filter(({ reason, beganAt, at }) => {
    // What an app took twice, or has confirmed and not taken, is nobody's outage.
    if (reason === "duplicated" || reason === "vanished") return true;
    return !outages.some(({ from, to }) => beganAt <= to && at >= from);
  });
  return beyondAllowance(served, kills).map((loss) => `lost: ${JSON.stringify(loss)}`);
}
