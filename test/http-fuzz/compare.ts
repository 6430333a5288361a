import type { Frame, Framing } from "./frame.ts";

/**
 * What is wrong when `ours` accepts what `theirs` refuses or frames otherwise; null when nothing is. Being stricter is
 * right.
 */
export function disagreement(ours: Framing, theirs: Framing): string | null {
  for (const [at, our] of ours.frames.entries()) {
    const their = theirs.frames[at];
    if (their === undefined) return `head ${String(at)} accepted by us alone: ${our.start} (${String(theirs.refusal)})`;
    const difference = frameDifference(our, their, ours.refusal !== null);
    if (difference !== null) return `message ${String(at)}: ${difference} (${String(theirs.refusal)})`;
    // What follows is not HTTP to one of us.
    if (their.isUpgrade || our.isUpgrade) return null;
  }
  return null;
}

function frameDifference(our: Frame, their: Frame, isRefused: boolean): string | null {
  const head = (frame: Frame): string => JSON.stringify([frame.start, frame.minor, frame.fields]);
  if (head(our) !== head(their)) return `${head(our)} against ${head(their)}`;
  if (our.isUpgrade && !their.isUpgrade) return "an upgrade for us alone";
  if (their.isUpgrade) return null;
  // llhttp takes Proxy-Connection for Connection, against RFC 9112, appendix C.2.2.
  const isOurKind = !our.fields.some((field) => field.toLowerCase().startsWith("proxy-connection:"));
  if (our.keepAlive && !their.keepAlive && isOurKind) return "kept alive by us alone";
  if (!our.isComplete) {
    const isLike = isRefused
      ? their.body.startsWith(our.body) || our.body.startsWith(their.body)
      : our.body === their.body;
    return isLike ? null : "bodies differ so far";
  }
  if (!their.isComplete) return "complete for us alone";
  const rest = (frame: Frame): string => JSON.stringify([frame.body, frame.trailers]);
  return rest(our) === rest(their) ? null : `${rest(our)} against ${rest(their)}`;
}
