import type { RecordedTraffic } from "../model/series.ts";
import type { ServiceSpec } from "../model/service.ts";
import { svgOf } from "../report/plot/svg.ts";
import { replayFigure } from "../report/replay-figure.ts";
import { type DrawnLook, simulationFigure } from "../report/simulation-figure.ts";
import { streamOf } from "../simulation/random.ts";
import { type Replayed, replay } from "../simulation/replay.ts";
import { simulateRun } from "../simulation/run.ts";
import { type Simulation, simulate, type SimulationWish, unwatchedAt } from "../simulation/simulate.ts";

const WIDTH = 860;

/** What was simulated, and its picture when it is asked for. */
export interface Simulated<T> {
  readonly result: T;
  readonly svg: () => string;
}

export function simulated(wish: SimulationWish): Simulated<Simulation> {
  const result = simulate(wish);
  return { result, svg: () => svgOf(figureOf(wish, result), WIDTH) };
}

export async function replayed(traffic: RecordedTraffic, spec: ServiceSpec): Promise<Simulated<Replayed>> {
  const result = await replay(traffic, spec);
  return { result, svg: () => svgOf(replayFigure(traffic, result), WIDTH) };
}

/** The typical run is simulated once more, to be looked at. */
function figureOf({ spec, scenario, seed }: SimulationWish, simulation: Simulation) {
  const { stages, typical } = simulation;
  const looks: DrawnLook[] = [];
  simulateRun({ deploy: spec.deploy, stages, scenario }, streamOf(seed, typical), (look) => {
    looks.push({ ...look, evidence: look.evidence() });
  });
  return simulationFigure(simulation, {
    looks,
    afterMs: scenario.afterMs,
    unwatchedAt: (ms) => unwatchedAt({ stages, scenario }, ms),
  });
}

export type { RecordedTraffic, Replayed, Simulation, SimulationWish };
