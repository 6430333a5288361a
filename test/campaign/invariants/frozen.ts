import type { Evidence } from "../evidence.ts";

/** Invariant 11: an environment without a healthy instance gets no more traffic than it had, whatever is taken back. */
export function frozen({ sick, seen }: Evidence): readonly string[] {
  return sick.flatMap(({ environment, since, until }) => {
    const share = ({ split }: Evidence["seen"][number]): number => split?.weights[environment] ?? 0;
    const before = seen.findLast(({ at }) => at <= since);
    if (before === undefined) return [`nothing is known of the traffic before ${environment} was sick`];
    return seen
      .filter((one) => one.at > since && one.at <= until && share(one) > share(before))
      .map((one) => `${environment} got ${String(share(one))} % while none of its instances was healthy`);
  });
}
