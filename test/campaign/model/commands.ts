import fc from "fast-check";
import { expect } from "vitest";
import { toTealError } from "../../../src/model/error.ts";
import { tellIfThere } from "../../site.ts";
import type { Campaign } from "../campaign.ts";
import type { Ending } from "../evidence.ts";
import { type Target, TARGETS } from "../target.ts";
import { type Model, otherOf, type Pending, type Real, type Side, SIDES } from "./model.ts";

type Command = fc.AsyncCommand<Model, Real>;

/** One thing that is done to the real service and to the model, when the model allows it. */
class Step implements Command {
  readonly #name: string;
  readonly #may: (model: Readonly<Model>) => boolean;
  readonly #act: (model: Model, real: Real) => Promise<void>;

  constructor(
    name: string,
    may: (model: Readonly<Model>) => boolean,
    act: (model: Model, real: Real) => Promise<void>,
  ) {
    this.#name = name;
    this.#may = may;
    this.#act = act;
  }

  check(model: Readonly<Model>): boolean {
    return performance.now() < model.until && this.#may(model);
  }

  async run(model: Model, real: Real): Promise<void> {
    real.done.push(this.#name);
    try {
      await this.#act(model, real);
    } catch (thrown) {
      const { code, message } = toTealError(thrown);
      throw new Error(`${code}: ${message}, after ${real.done.join(", ")}`, { cause: thrown });
    }
  }

  toString(): string {
    return this.#name;
  }
}

const always = (): boolean => true;
const isIdle = ({ pending }: Readonly<Model>): boolean => pending === null;
const isBusy = ({ pending }: Readonly<Model>): boolean => pending !== null;

/** A call that Teal is to refuse, with one of these codes. */
async function refused(call: Promise<unknown>, ...codes: readonly string[]): Promise<void> {
  const code = await call.then(
    () => "nothing",
    (thrown: unknown) => toTealError(thrown).code,
  );
  expect(codes).toContain(code);
}

function deploy(kind: "good" | "bad" | "gated"): Command {
  return new Step(`deploy ${kind}`, isIdle, async (model, { campaign }) => {
    const smoke = kind === "bad" ? { validate: { smoke: "false" } } : {};
    await campaign.configure({ deploy: { ...smoke, ...(kind === "gated" ? { approval: "beforeShift" } : {}) } });
    const id = await campaign.deploy();
    const { version, to } = await campaign.site.client.deployment(id);
    expect(to).toBe(otherOf(model.active));
    const may = new Set([kind === "bad" ? "failed" : "completed"]);
    model.pending = { id, version: String(version), to: to as Side, may, waits: kind === "gated" };
  });
}

/** Why each kind of deployment ends so here, and no other. */
const ENDINGS: readonly Ending[] = [
  { state: "failed", cause: "validation-failed" },
  { state: "aborted", cause: "abort" },
  { state: "rolled-back", cause: "crash-loop" },
  { state: "rolled-back", cause: "guardrail-breached" },
];

/** Waits for the end of what is under way, and for it to be what the model says. */
export async function settle(model: Model, { campaign }: Real): Promise<void> {
  const { pending } = model;
  if (pending !== null) {
    if (pending.waits) await campaign.site.client.approve(pending.id, {});
    const { state } = await campaign.site.ended(pending.id);
    expect([...pending.may]).toContain(state);
    campaign.may(pending.id, ...ENDINGS.filter((ending) => pending.may.has(ending.state)));
    if (state === "completed") completed(model, pending);
    else await takenBack(model, pending, campaign);
  }
  await campaign.whole();
  const { active, traffic, environments, deployment } = await campaign.site.service();
  expect({ active, share: traffic[model.active], deployment }).toEqual({
    active: model.active,
    share: 100,
    deployment: null,
  });
  const seen = SIDES.map((side) => environments.find(({ name }) => name === side)?.version ?? null);
  expect(seen).toEqual(SIDES.map((side) => model.versions[side]));
  if (model.maintenance === "off") expect(await campaign.answering()).toEqual([model.versions[model.active]]);
}

function completed(model: Model, { to, version }: Pending): void {
  model.pending = null;
  model.versions[to] = version;
  model.running[to] = true;
  model.active = to;
}

/** Its environment is empty then; or it has what it had before, when it had not been retired by then. */
async function takenBack(model: Model, { to }: Pending, { site }: Campaign): Promise<void> {
  model.pending = null;
  const { environments } = await site.until("there is a status", () => site.service());
  const version = environments.find(({ name }) => name === to)?.version ?? null;
  expect([null, model.versions[to]]).toContain(version);
  model.versions[to] = version;
  model.running[to] = version !== null;
  // Some of it may have been stopped.
  if (version !== null)
    await site.until("it is whole", () => site.client.startEnvironment({ service: "web", environment: to }, {}));
}

/** A deployment that is done already says so; else it is as if it had never been. */
const abort = new Step("abort", isBusy, async ({ pending }, { campaign }) => {
  if (pending === null) return;
  pending.waits = false;
  const problem = await campaign.site.client.abort(pending.id, {}).then(
    () => null,
    (thrown: unknown) => toTealError(thrown),
  );
  if (problem === null) pending.may = new Set(["aborted"]);
  else expect(["deployment-ended", "server-down"]).toContain(problem.code);
  // Whoever asks while no server is there does not know whether it was heard.
  if (problem?.code === "server-down") pending.may = new Set([...pending.may, "aborted"]);
});

/** Past the server: a proxy that has nothing armed says so, as before the first shift and when it is done. */
const abortDirect = new Step("abort --direct", isBusy, async ({ pending }, { campaign }) => {
  if (pending === null) return;
  const { code, stderr } = await campaign.site.cli("abort", "--direct", "--json");
  if (code === 0) {
    // It may have been on its way back already, for a reason of its own.
    pending.may = new Set([...pending.may, "aborted"]);
    pending.may = new Set([...pending.may].filter((state) => state !== "completed"));
    return;
  }
  expect([code, stderr]).toEqual([
    expect.any(Number),
    expect.stringMatching(/nothing-to-abort|data-plane-down|going back would be worse|^$/),
  ]);
  if (code !== 6) pending.may = new Set([...pending.may, "aborted"]);
});

/** Whether it stands before its approval, which nobody but the model gives. */
async function waits({ pending }: Model, { site }: Campaign): Promise<boolean> {
  if (pending === null) return false;
  const { state } = await site.until("there is an answer", () => site.client.deployment(pending.id));
  return state === "waiting";
}

const isWaiting = ({ pending }: Readonly<Model>): boolean => pending?.waits === true;

/** Whatever needs the service for itself, while a deployment has it. */
const meanwhile = new Step("all that a deployment refuses", isWaiting, async (model, { campaign }) => {
  const { pending, active } = model;
  if (pending === null || !(await waits(model, campaign))) return;
  const { client } = campaign.site;
  const service = "web";
  const key = { idempotencyKey: crypto.randomUUID() };
  const away = "server-down";
  await refused(client.deploy(service, { version: "v1" }, crypto.randomUUID()), "deployment-running", away);
  await refused(client.switch(service, { to: pending.to }, key), "deployment-running", away);
  await refused(client.switch(service, { to: pending.to, force: true }, key), "deployment-running", away);
  await refused(client.traffic(service, { weights: { [pending.to]: 100 } }), "deployment-running", away);
  await refused(client.stopEnvironment({ service, environment: active }, {}), "rollback-target", away);
  await refused(client.stopEnvironment({ service, environment: pending.to }, {}), "deployment-running", away);
  await refused(client.scaleEnvironment({ service, environment: active }, { count: 1 }), "rollback-target", away);
  await refused(client.retireEnvironment({ service, environment: pending.to }, {}), "deployment-running", away);
});

/** What waits is taken back, and then the new one begins. */
const supersede = new Step("deploy --supersede", isWaiting, async (model, { campaign }) => {
  const { pending } = model;
  if (pending === null || !(await waits(model, campaign))) return;
  await campaign.configure({});
  const id = await campaign.deploy({ supersede: true });
  expect((await campaign.site.ended(pending.id)).state).toBe("aborted");
  campaign.may(pending.id, { state: "aborted", cause: "abort" });
  const { version, to } = await campaign.site.client.deployment(id);
  expect(to).toBe(pending.to);
  model.pending = { id, version: String(version), to: to as Side, may: new Set(["completed"]), waits: false };
});

const approve = new Step(
  "approve",
  ({ pending }) => pending?.waits === true,
  async ({ pending }, { campaign }) => {
    if (pending === null) return;
    await campaign.site.until("it is approved", () => campaign.site.client.approve(pending.id, {}));
    pending.waits = false;
  },
);

const resume = new Step("resume", isBusy, async ({ pending }, { campaign }) => {
  await refused(
    campaign.site.client.resume(pending?.id ?? "", {}),
    "nothing-to-resume",
    "deployment-ended",
    "server-down",
  );
});

const turn = new Step("switch", isIdle, async (model, { campaign }) => {
  const to = otherOf(model.active);
  const call = campaign.site.client.switch("web", { to }, { idempotencyKey: crypto.randomUUID() });
  if (model.versions[to] === null || !model.running[to]) {
    await refused(call, "environment-unknown", "no-release", "unhealthy", "not-healthy");
    return;
  }
  await call;
  model.active = to;
});

const rollback = new Step("rollback", isIdle, async (model, { campaign }) => {
  const to = otherOf(model.active);
  if (model.versions[to] === null) return;
  const { id } = await campaign.site.client.rollback("web", {}, { idempotencyKey: crypto.randomUUID() });
  expect(await campaign.site.client.deployment(id)).toMatchObject({ state: "completed", to });
  model.active = to;
  model.running[to] = true;
});

/** A part by hand, and then all of it. */
function traffic(force: boolean): Command {
  return new Step(`traffic --set${force ? " --force" : ""}`, isIdle, async (model, { campaign }) => {
    const { client } = campaign.site;
    const to = otherOf(model.active);
    if (model.versions[to] === null || !model.running[to]) {
      // Not by force either: there is no instance at all.
      const wish = { weights: { [to]: 100 }, force };
      await refused(client.traffic("web", wish), "environment-unknown", "unhealthy", "not-healthy");
      return;
    }
    await client.traffic("web", { weights: { [model.active]: 70, [to]: 30 }, force });
    expect((await campaign.site.service()).traffic).toMatchObject({ [to]: 30 });
    await client.traffic("web", { weights: { [to]: 100 }, force });
    model.active = to;
  });
}

const stop = new Step("env stop", isIdle, async (model, { campaign }) => {
  const { client } = campaign.site;
  await refused(
    client.stopEnvironment({ service: "web", environment: model.active }, {}),
    "still-has-traffic",
    "rollback-target",
  );
  const environment = otherOf(model.active);
  if (model.versions[environment] === null) return;
  await client.stopEnvironment({ service: "web", environment }, {});
  model.running[environment] = false;
});

const start = new Step("env start", isIdle, async (model, { campaign }) => {
  const environment = otherOf(model.active);
  if (model.versions[environment] === null) return;
  await campaign.site.client.startEnvironment({ service: "web", environment }, {});
  model.running[environment] = true;
});

/** One more, and back; fewer where the traffic is are refused. */
const scale = new Step("env scale", isIdle, async (model, { campaign }) => {
  const { client } = campaign.site;
  await client.scaleEnvironment({ service: "web", environment: model.active }, { count: 3 });
  await refused(
    client.scaleEnvironment({ service: "web", environment: model.active }, { count: 2 }),
    "still-has-traffic",
    "rollback-target",
  );
  const environment = otherOf(model.active);
  if (model.versions[environment] === null || !model.running[environment]) return;
  for (const count of [3, 2]) {
    await client.scaleEnvironment({ service: "web", environment }, { count });
    const seen = (await campaign.site.service()).environments.find(({ name }) => name === environment);
    expect(seen?.instances).toHaveLength(count);
  }
});

const retire = new Step("env retire", isIdle, async (model, { campaign }) => {
  const { client } = campaign.site;
  await refused(
    client.retireEnvironment({ service: "web", environment: model.active }, {}),
    "still-has-traffic",
    "rollback-target",
  );
  const environment = otherOf(model.active);
  const { deployment } = await client.retireEnvironment({ service: "web", environment }, {});
  if (deployment !== null) expect(await campaign.site.ended(deployment)).toMatchObject({ state: "completed" });
  model.versions[environment] = null;
  model.running[environment] = false;
});

export function maintain(mode: Model["maintenance"]): Command {
  return new Step(`maintenance ${mode}`, always, async (model, { campaign }) => {
    const ordered = () => campaign.site.client.maintenance("web", { mode });
    await campaign.site.until(`maintenance is ${mode}`, ordered);
    model.maintenance = mode;
    const { maintenance } = await campaign.site.service();
    expect(maintenance?.mode ?? "off").toBe(mode);
  });
}

/** What dies while something is under way changes nothing of its end; but an instance's death may convict its release. */
function disturbed({ pending }: Model, target: Target): void {
  if ((target !== "app" && target !== "candidate") || pending === null) return;
  pending.may = new Set([...pending.may, "rolled-back"]);
}

/** Who asks next is not to meet the moment without a server: the campaign's other faults do. */
async function another(campaign: Campaign, act: (server: number) => unknown): Promise<void> {
  const { server } = await campaign.site.until("there is a server", async () => {
    const { server: pid } = await campaign.site.pids();
    return pid === null ? null : { server: pid };
  });
  await act(server);
  await campaign.site.until("another server answers", async () => {
    const { server: now } = await campaign.site.pids();
    return now !== null && now !== server && (await campaign.site.service());
  });
}

function kill(target: Target): Command {
  return new Step(`kill ${target}`, always, async (model, { campaign }) => {
    if (target === "server") await another(campaign, () => campaign.kill(target));
    else await campaign.kill(target);
    disturbed(model, target);
    if (isIdle(model)) await campaign.whole();
  });
}

function pause(target: Target): Command {
  return new Step(`pause ${target}`, always, async (model, { campaign }) => {
    await campaign.stop(target);
    await campaign.pause(200, 900);
    campaign.goOn();
    disturbed(model, target);
  });
}

const restart = new Step("restart the server", always, async (_model, { campaign }) => {
  await another(campaign, (server) => tellIfThere(server, "SIGTERM"));
});

/** All of Teal, its apps too, in order; what was under way goes on. */
const downAndUp = new Step("down and up", always, async (_model, { campaign }) => {
  const { code, stderr } = await campaign.site.cli("down", "--yes");
  expect([code, stderr]).toEqual([0, ""]);
  await campaign.site.start();
});

const wait = new Step("wait", isBusy, async (_model, { campaign }) => {
  await campaign.pause(100, 1_500);
});

const settled = new Step("settle", always, settle);

/** How often each is drawn, beside the others. */
const DRAWN: readonly (readonly [times: number, command: Command])[] = [
  [3, deploy("good")],
  [1, deploy("bad")],
  [2, deploy("gated")],
  [3, settled],
  [2, wait],
  [1, abort],
  [1, abortDirect],
  [1, approve],
  [1, resume],
  [1, meanwhile],
  [1, supersede],
  [1, restart],
  [1, downAndUp],
  [1, turn],
  [1, rollback],
  [1, traffic(false)],
  [1, traffic(true)],
  [1, stop],
  [1, start],
  [1, scale],
  [1, retire],
  [1, maintain("on")],
  [1, maintain("hold")],
  [2, maintain("off")],
];

const often = DRAWN.flatMap(([times, command]) => Array.from({ length: times }, () => command));
const faults = TARGETS.flatMap((target) => [kill(target), pause(target)]);

export const COMMANDS: fc.Arbitrary<Command>[] = often.concat(faults).map((command) => fc.constant(command));
