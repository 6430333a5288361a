import type { EnvironmentChangedAnswer, EnvironmentName, TealClient } from "../sdk/client.ts";
import type { Call } from "./call.ts";
import { chooseService } from "./service.ts";
import type { VerbArgument, VerbOption } from "./verb.ts";
import { stateWord } from "./words/status.ts";

export const ENVIRONMENT_ARGUMENT: VerbArgument = {
  name: "environment",
  required: true,
  description: "environment, such as green",
};

export const SERVICE_OPTION: VerbOption = {
  flags: "--service <service>",
  description: "service of teal.yaml; may be left out where there is one",
  value: "name",
};

export const CHANGED_JSON = "{service, environment, state, changed, deployment}";

/** As long as an environment may take to drain and end, or to start and become healthy. */
export const LONGEST_MS = 15 * 60_000;

/** The environment that the command is about. */
export async function environmentOf(call: Call, client: TealClient): Promise<EnvironmentName> {
  const { services } = await client.status();
  const known = services.map(({ service }) => service);
  return { service: chooseService(call.text("service"), known), environment: call.text("environment") ?? "" };
}

export function sayChanged(call: Call, answer: EnvironmentChangedAnswer, done: string): number {
  if (call.json) call.document(answer);
  const { service, environment, state, changed } = answer;
  const what = `${call.style.environment(environment)} of ${service}`;
  call.say(
    changed
      ? `${call.style.good("✓")} ${what} ${done}: ${stateWord(state, call.style)}.`
      : `${what} is so already: ${stateWord(state, call.style)}. Nothing was changed.`,
  );
  return 0;
}
