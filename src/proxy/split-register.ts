import type { RollbackCause } from "../model/deployment.ts";
import { TealError } from "../model/error.ts";
import { compareOrder, sameWeights, type TrafficSplit, type Weights } from "../model/traffic.ts";
import type { LatchRecord } from "../wire/proxy.ts";

/** Latches kept per service; the oldest go first. A fence that old has long been passed by the live split. */
const LATCHES_KEPT = 64;
/** Characters of a reason that a latch keeps. */
const MOST_WORDS = 256;

/** What the data plane remembers of one service's splits: the order rules of invariant 1, as a value. */
export interface SplitRegister {
  readonly split: TrafficSplit | null;
  /** The deployment that made the live split; null for upkeep. */
  readonly deployment: string | null;
  readonly armed: { readonly deployment: string; readonly revertTo: Weights } | null;
  /** The deployment whose revert made the live split. */
  readonly reverted: string | null;
  readonly latches: readonly LatchRecord[];
}

export const EMPTY_REGISTER: SplitRegister = {
  split: null,
  deployment: null,
  armed: null,
  reverted: null,
  latches: [],
};

export interface SplitChange extends TrafficSplit {
  readonly service: string;
  readonly deployment: string | null;
  readonly revertTo: Weights | null;
}

/**
 * Whether a change may become live: `newer`, or `same` as what is live (the answer is then the earlier one).
 * @throws `fenced` when something newer is live, `latched` when its deployment, or its fence, was reverted
 */
export function judge(register: SplitRegister, change: SplitChange): "newer" | "same" {
  const { split, latches } = register;
  const latched = latches.find((latch) => latch.deployment === change.deployment);
  if (latched !== undefined)
    throw new TealError("latched", `deployment ${latched.deployment} of ${change.service} was reverted`);
  const order = split === null ? 1 : compareOrder(change, split);
  if (order < 0 || (order === 0 && split !== null && !isSame(register, split, change))) throw fenced(change, split);
  const barrier = latches.find((latch) => change.fence <= latch.fence);
  if (order > 0 && barrier !== undefined) {
    throw new TealError(
      "latched",
      `${change.service} refuses fence ${String(change.fence)}: deployment ${barrier.deployment} was reverted at fence ${String(barrier.fence)}`,
    );
  }
  return order === 0 ? "same" : "newer";
}

function isSame(register: SplitRegister, split: TrafficSplit, change: SplitChange): boolean {
  return sameWeights(split.weights, change.weights) && register.deployment === change.deployment;
}

function fenced(change: SplitChange, split: TrafficSplit | null): TealError {
  const live = split === null ? "nothing" : `(${String(split.fence)}, ${String(split.generation)})`;
  const asked = `(${String(change.fence)}, ${String(change.generation)})`;
  return new TealError(
    "fenced",
    `${change.service} has ${live} live, and ${asked} is not newer, or differs under the same number`,
  );
}

/**
 * The register once a `newer` change is live. Upkeep that leaves the weights as they are (an instance has moved) keeps a
 * deployment armed: only `disarm`, a revert or another split ends that.
 */
export function applied(register: SplitRegister, change: SplitChange): SplitRegister {
  const split = { fence: change.fence, generation: change.generation, weights: change.weights };
  const isUpkeep =
    change.deployment === null &&
    change.revertTo === null &&
    sameWeights(register.split?.weights ?? {}, change.weights);
  if (isUpkeep) return { ...register, split };
  const armed = armedBy(change);
  return { ...register, split, deployment: change.deployment, armed, reverted: null };
}

function armedBy(change: SplitChange): SplitRegister["armed"] {
  if (change.deployment === null || change.revertTo === null) return null;
  return { deployment: change.deployment, revertTo: change.revertTo };
}

/** The register once the armed deployment's target is live again: one generation on. Latch it, too. */
export function flippedBack(register: SplitRegister): SplitRegister {
  const { split, armed } = register;
  if (split === null || armed === null) return register;
  const back = { fence: split.fence, generation: split.generation + 1, weights: armed.revertTo };
  return { ...register, split: back, deployment: armed.deployment, armed: null, reverted: armed.deployment };
}

/**
 * Remembers that nothing of the deployment is accepted again, and when it was armed, no fence up to the live one: what was
 * under way for it may still come. A deployment that is done, or never was, holds back nobody else. Idempotent.
 */
export function latch(
  register: SplitRegister,
  deployment: string,
  { at, cause, because }: Pick<LatchRecord, "at" | "cause" | "because">,
): SplitRegister {
  if (isLatched(register, deployment)) return register;
  const isArmed = register.armed?.deployment === deployment;
  const fence = isArmed ? (register.split?.fence ?? 0) : 0;
  const record = { deployment, fence, at, cause, ...(because === undefined ? {} : { because: shortened(because) }) };
  const older = register.latches.map(({ because: _old, ...kept }) => kept);
  return { ...register, latches: [...older, record].slice(-LATCHES_KEPT) };
}

/** The snapshot has room for every service's newest latch. */
function shortened(because: RollbackCause): RollbackCause {
  const cut = (text: string): string => (text.length <= MOST_WORDS ? text : `${text.slice(0, MOST_WORDS - 1)}…`);
  if (because.kind !== "abort") return { ...because, message: cut(because.message) };
  return { ...because, by: cut(because.by), reason: because.reason === null ? null : cut(because.reason) };
}

export function isLatched(register: SplitRegister, deployment: string): boolean {
  return register.latches.some((record) => record.deployment === deployment);
}

/** Ends the armed state of `deployment`; that of another is left. */
export function disarmed(register: SplitRegister, deployment: string): SplitRegister {
  return register.armed?.deployment === deployment ? { ...register, armed: null } : register;
}
