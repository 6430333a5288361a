import { readFileSync } from "node:fs";

/** The processors that this process may run on, by number. */
export function allowedCpus(): readonly number[] {
  const status = readFileSync("/proc/self/status", "utf8");
  return parseCpuList(/^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? "0");
}

/** `0-2,5` is 0, 1, 2, 5. */
export function parseCpuList(text: string): readonly number[] {
  return text.split(",").flatMap((range) => {
    const [first = 0, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, offset) => first + offset);
  });
}
