import { expect, test } from "vitest";
import { DEFAULT_PROXY_SETTINGS } from "../model/proxy-settings.ts";
import { ConfigFolder, service } from "./fixtures.ts";

const proxy = (...lines: readonly string[]): string =>
  ["proxy:", ...lines.map((line) => `  ${line}`), service()].join("\n");

test("what is not written is as the model's defaults, which older records mean too", async () => {
  using folder = new ConfigFolder();
  expect((await folder.load(service())).proxy.settings).toEqual(DEFAULT_PROXY_SETTINGS);
  expect((await folder.load(proxy("timeouts: {}", "limits: {}"))).proxy.settings).toEqual(DEFAULT_PROXY_SETTINGS);
});

test("every setting arrives, in milliseconds and bytes", async () => {
  using folder = new ConfigFolder();
  const { listen, settings } = (
    await folder.load(
      proxy(
        'listen: ["127.0.0.1:1"]',
        'trustedProxies: [10.0.0.0/8, "2001:DB8::/32", "::1"]',
        "forwarded: both",
        "requestId: replace",
        "traceparent: create",
        "timeouts: { head: 1s, idle: 5500ms, connect: 10ms, response: 1d, body: 100ms, write: 1s, tunnel: 30d }",
        "limits: { headBytes: 16KiB, headFields: 20, bodyBytes: 1.5MiB, connections: 10 }",
        "accessLog: { to: file, fileBytes: 1MiB, files: 2 }",
        "refusedLines: 0",
      ),
    )
  ).proxy;
  expect(listen).toEqual(["127.0.0.1:1"]);
  expect(settings).toEqual({
    trustedProxies: ["10.0.0.0/8", "2001:db8::/32", "::1"],
    forwarded: "both",
    requestId: "replace",
    traceparent: "create",
    timeouts: {
      headMs: 1_000,
      idleMs: 5_000,
      connectMs: 10,
      responseMs: 86_400_000,
      bodyMs: 100,
      writeMs: 1_000,
      tunnelMs: 2_592_000_000,
    },
    limits: { headBytes: 16_384, headFields: 20, bodyBytes: 1_572_864, connections: 10 },
    accessLog: { to: "file", fileBytes: 1_048_576, files: 2 },
    refusedLines: 0,
  });
});

test.each([
  ["trustedProxies: [10.0.0.0/33]", "proxy.trustedProxies[0]", "a prefix of IPv4 has at most 32 bits"],
  ['trustedProxies: ["::1/129"]', "proxy.trustedProxies[0]", "a prefix of IPv6 has at most 128 bits"],
  ["trustedProxies: [proxy.local]", "proxy.trustedProxies[0]", "write an address or a network"],
  ['trustedProxies: ["::1/64/2"]', "proxy.trustedProxies[0]", "write an address or a network"],
  ['trustedProxies: ["fe80::1%eth0"]', "proxy.trustedProxies[0]", "write an address or a network"],
  ['trustedProxies: ["::1", "::1"]', "proxy.trustedProxies[1]", "twice"],
  ["forwarded: rfc7230", "proxy.forwarded", "must be one of x-forwarded, rfc7239, both, none"],
  ["requestId: true", "proxy.requestId", "must be one of keep, keepTrusted, replace"],
  ["traceparent: on", "proxy.traceparent", "must be one of pass, create"],
  ["timeouts: { head: 10 }", "proxy.timeouts.head", "a duration without a unit"],
  ["timeouts: { connect: 2m }", "proxy.timeouts.connect", "outside 10ms to 1m"],
  ["limits: { headBytes: 65536 }", "proxy.limits.headBytes", "not a size"],
  ["limits: { headBytes: 128KiB }", "proxy.limits.headBytes", "outside 16KiB to 64KiB"],
  ["limits: { headBytes: none }", "proxy.limits.headBytes", "not a size"],
  ["limits: { bodyBytes: any }", "proxy.limits.bodyBytes", "such as 32KiB or none"],
  ["limits: { connections: 1 }", "proxy.limits.connections", "outside 10 to 1000000"],
  ["accessLog: { to: syslog }", "proxy.accessLog.to", "must be one of none, file"],
  ["accessLog: { files: 1 }", "proxy.accessLog.files", "outside 2 to 100"],
  ["refusedLines: -1", "proxy.refusedLines", "outside 0 to 6000"],
  ["trustedProxy: []", "proxy.trustedProxy", "trustedProxies"],
])("refused with its path and line: %s", async (line, path, message) => {
  using folder = new ConfigFolder();
  const { code, problems } = await folder.refused(proxy(line));
  expect(code).toBe("config-invalid");
  expect(problems).toHaveLength(1);
  expect(problems?.[0]).toMatchObject({ path, line: 2 });
  expect(problems?.[0]?.message).toContain(message);
});
