import { expect, test } from "vitest";
import { Hub, type HubTopics } from "./hub.ts";

const sample = (service: string): HubTopics["sample"] => ({
  service,
  epoch: "one",
  at: 1,
  switches: 0,
  environments: {},
});

test("whoever listens to one service hears nothing of the others, and whoever listens to all hears all", () => {
  const hub = new Hub();
  const never = new AbortController().signal;
  const heard: string[] = [];
  hub.subscribe("sample", ({ service }) => heard.push(`all ${service}`), never);
  hub.subscribeTo("sample", "web", ({ service }) => heard.push(`web ${service}`), never);
  hub.subscribeTo("instance", "web", () => heard.push("an instance"), never);
  hub.publish("sample", sample("web"));
  hub.publish("sample", sample("api"));
  expect(heard).toEqual(["all web", "web web", "all api"]);
});

test("a listener hears nothing after its signal, and another of the same service goes on", () => {
  const hub = new Hub();
  const [first, second, late] = [new AbortController(), new AbortController(), new AbortController()];
  const heard: string[] = [];
  hub.subscribeTo("sample", "web", () => heard.push("first"), first.signal);
  hub.subscribeTo("sample", "web", () => heard.push("second"), second.signal);
  first.abort();
  hub.publish("sample", sample("web"));
  second.abort();
  hub.publish("sample", sample("web"));
  hub.subscribeTo("sample", "web", () => heard.push("late"), late.signal);
  hub.publish("sample", sample("web"));
  late.abort();
  hub.subscribeTo("sample", "web", () => heard.push("too late"), late.signal);
  hub.publish("sample", sample("web"));
  expect(heard).toEqual(["second", "late"]);
});
