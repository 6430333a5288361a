import { TealError } from "../../model/error.ts";
import type { ServiceSpec } from "../../model/service.ts";
import type { Call } from "../call.ts";
import { writeOutput } from "../output-file.ts";
import { factorOf, rateOf, shareOf } from "../quantity.ts";
import { chooseService } from "../service.ts";
import { SERVICE_ARGUMENT, type Verb } from "../verb.ts";
import { replayLines, simulationLines } from "../words/simulation.ts";

const DESCRIBED = ["failing", "slow", "rate", "after", "users", "activeFailing", "latency", "seed", "runs"] as const;

export const simulate: Verb = {
  name: "simulate",
  summary: "What the guardrails would make of a bad release, or of a recorded deployment",
  details:
    "Plays many deployments of the release that is described through the plan and the guardrails of teal.yaml, by the code that judges real ones: how soon it is caught, how many requests and users are hurt, and how often a good release would be taken back. With --deployment, the recorded traffic of a deployment is judged by the guardrails that teal.yaml has now. Changes nothing; needs no server, but for --deployment.",
  arguments: [SERVICE_ARGUMENT],
  options: [
    { flags: "--failing <share>", description: "share of the new release's requests that fail: 20%" },
    { flags: "--slow <factor>", description: "how much longer its requests take: 3x" },
    {
      flags: "--after <duration>",
      description: "how long it is good before it turns bad",
      value: "duration",
      otherwise: "0s",
    },
    { flags: "--rate <rate>", description: "requests of the service: 200/s, 30/m", otherwise: "100/s" },
    {
      flags: "--users <count>",
      description: "users that they come from; with traffic.affinity each stays on one side",
      value: "count",
    },
    { flags: "--active-failing <share>", description: "share that the active release fails", otherwise: "0%" },
    {
      flags: "--latency <duration>",
      description: "median latency of the active release",
      value: "duration",
      otherwise: "20ms",
    },
    {
      flags: "--seed <count>",
      description: "another seed draws other requests; the same draws the same",
      value: "count",
      otherwise: "1",
    },
    {
      flags: "--runs <count>",
      description: "deployments to simulate, of a bad and of a good release each",
      value: "count",
      otherwise: "up to 1000, as many as take some seconds",
    },
    { flags: "--deployment <id>", description: "judge a recorded deployment instead", value: "name" },
    { flags: "--svg <file>", description: "write a picture, too: ramp, requests hurt, evidence" },
  ],
  examples: [
    { command: "teal simulate --failing 20% --rate 200/s", about: "a release that fails every fifth request" },
    {
      command: "teal simulate web --slow 3x --users 5000 --svg slow.svg",
      about: "a slow one, how many users it meets, and a picture",
    },
    { command: "teal simulate --failing 5% --after 10m", about: "one that turns bad in the bake" },
    {
      command: "teal simulate --deployment dep_0mwpt684g887af3b159",
      about: "a recorded one, by the guardrails of teal.yaml now",
    },
  ],
  json: "{service, scenario, seed, simulation: {runs, caught, neverCaught, neverCaughtAtMost, detectMs: {median, p95}, failed, slowed, usersHurt, steps, rules, unwatched, good: {runs, takenBack, atMost, promised}, …}}; with --deployment {service, deployment, replay: {takenBack, verdicts, failed, requests, caveats: [{code, message}], grainMs}}",
  async run(call) {
    const config = await call.parts.loadConfig(call.configFile(), call.io.env);
    const id = call.text("deployment");
    if (id !== undefined) return recorded(call, config.services, id);
    const name = chooseService(call.text("service"), Object.keys(config.services));
    const spec = specOf(config.services, name);
    const wish = { spec, scenario: scenarioOf(call, spec), seed: call.number("seed") ?? 1, runs: runsOf(call) };
    const { result, svg } = await call.parts.simulate(wish);
    const file = call.text("svg");
    if (file !== undefined) await writeOutput(call, file, svg());
    const { detections: _each, typical: _typical, ...simulation } = result;
    if (call.json) call.document({ service: name, scenario: wish.scenario, seed: wish.seed, simulation });
    for (const line of simulationLines(wish, result, call.style, columnsOf(call))) call.say(line);
    if (file !== undefined) call.say(`\nThe picture is in ${file}.`);
    return 0;
  },
};

async function recorded(call: Call, services: Readonly<Record<string, ServiceSpec>>, id: string): Promise<number> {
  const other = DESCRIBED.find((name) => call.text(name) !== undefined || call.number(name) !== undefined);
  if (other !== undefined)
    throw new TealError("usage", "--deployment replays what was recorded: leave out what describes a release");
  const client = await call.client();
  const traffic = await client.series(id);
  if (traffic.points.length === 0) {
    throw new TealError("usage", `nothing is kept of the traffic of ${id}`, {
      remedy: "Traffic is kept for 90 days, of deployments that reached a shift and ran for a second at least.",
    });
  }
  const spec = specOf(services, chooseService(call.text("service") ?? traffic.service, Object.keys(services)));
  const { cause, state } = await client.deployment(id);
  const { result, svg } = await call.parts.replay(traffic, spec);
  const file = call.text("svg");
  if (file !== undefined) await writeOutput(call, file, svg());
  const { looks: _each, ...told } = result;
  if (call.json) call.document({ service: traffic.service, deployment: id, replay: told });
  for (const line of replayLines({ traffic, replayed: result, state, cause }, call.style, columnsOf(call)))
    call.say(line);
  if (file !== undefined) call.say(`\nThe picture is in ${file}.`);
  return 0;
}

/** Nothing is broken where nobody looks. */
function columnsOf({ io, columns }: Call): number {
  return io.stdout.terminal ? columns : Infinity;
}

function scenarioOf(call: Call, { traffic }: ServiceSpec) {
  const failing = call.text("failing");
  const slow = call.text("slow");
  if (failing === undefined && slow === undefined) {
    throw new TealError("usage", "say what is bad: --failing 20%, --slow 3x or both; or --deployment ID", {
      remedy: "`teal simulate --help` has examples.",
    });
  }
  const activeFailing = shareOf("active-failing", call.text("activeFailing") ?? "0%");
  const medianMs = call.number("latency") ?? 20;
  if (medianMs <= 0) throw new TealError("usage", "--latency must be above 0");
  const users = call.number("users") ?? null;
  if (users === 0) throw new TealError("usage", "--users must be 1 or more");
  return {
    rate: rateOf("rate", call.text("rate") ?? "100/s"),
    failing: failing === undefined ? activeFailing : shareOf("failing", failing),
    slow: slow === undefined ? 1 : factorOf("slow", slow),
    afterMs: call.number("after") ?? 0,
    activeFailing,
    medianMs,
    users,
    sticky: traffic.affinity !== undefined,
  };
}

const MOST_RUNS = 100_000;

function runsOf(call: Call): number | null {
  const runs = call.number("runs") ?? null;
  if (runs !== null && (runs === 0 || runs > MOST_RUNS)) throw new TealError("usage", "--runs must be 1 to 100000");
  return runs;
}

function specOf(services: Readonly<Record<string, ServiceSpec>>, name: string): ServiceSpec {
  const spec = services[name];
  if (spec === undefined) throw new TealError("service-unknown", `teal.yaml has no service ${name}`);
  return spec;
}
