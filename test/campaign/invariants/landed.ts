import type { Evidence } from "../evidence.ts";
import { isCalled, seriesOf, stepAt } from "../strike.ts";

/** So few say nothing of how well borders are met. */
const FEW = 8;

/**
 * The campaign itself: a signal that hit nobody, or came when all was over, has tried nothing. On a busy machine one at a
 * border may come a step later, but not most of them.
 */
export function landed({ strikes, steps, wished, sameClock }: Evidence): readonly string[] {
  if (!sameClock) return [];
  const hits = strikes.flatMap((strike) => {
    const step = stepAt(steps, strike.at);
    return step === null ? [] : [{ series: seriesOf(strike), border: strike.border, step: step.id }];
  });
  const atBorder = hits.flatMap(({ border, step }) => (border === null ? [] : [isCalled(step, border)]));
  const met = atBorder.filter((isMet) => isMet).length;
  return [
    ...Object.entries(wished).flatMap(([series, times]) => {
      const count = hits.filter((hit) => hit.series === series).length;
      return count >= times ? [] : [`${series}: ${String(count)} of ${String(times)} came while a step was under way`];
    }),
    ...(atBorder.length >= FEW && met * 2 < atBorder.length
      ? [`of ${String(atBorder.length)} signals at borders ${String(met)} came in the step that they were meant for`]
      : []),
  ];
}
