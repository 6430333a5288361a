import { closest, distance } from "fastest-levenshtein";

/** `; did you mean X?` when one of the known names is near enough to be what was meant, else the empty text. */
export function didYouMean(written: string, known: readonly string[]): string {
  if (known.length === 0 || written.length > 60) return "";
  const lower = written.toLowerCase();
  const near = closest(
    lower,
    known.map((name) => name.toLowerCase()),
  );
  const name = known.find((candidate) => candidate.toLowerCase() === near);
  if (name === undefined || distance(lower, near) > Math.max(1, Math.floor(name.length / 3))) return "";
  return `; did you mean ${name}?`;
}
