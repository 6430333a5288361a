import { expect, test } from "vitest";
import { unitFile } from "./unit-file.ts";

const PLAIN = {
  config: "/srv/shop/teal.yaml",
  folder: "/srv/shop",
  node: "/usr/bin/node",
  script: "/usr/lib/teal/bin/teal.js",
  user: "shop",
  listen: ["127.0.0.1:8080"],
  stopMs: 40_000,
} as const;

test("the apps are left alone, and the stop has time for the drain", () => {
  const unit = unitFile(PLAIN);
  expect(unit).toMatch(
    /^ExecStart=\/usr\/bin\/node \/usr\/lib\/teal\/bin\/teal\.js up --stay --config \/srv\/shop\/teal\.yaml$/m,
  );
  expect(unit).toMatch(/^KillMode=process$/m);
  expect(unit).toMatch(/^OOMPolicy=continue$/m);
  expect(unit).toMatch(/^TimeoutStopSec=70$/m);
  expect(unit).toMatch(/^CapabilityBoundingSet=$/m);
  expect(unit).toMatch(/^Documentation=file:\/\/\/usr\/lib\/teal\/README\.md$/m);
});

test("a port below 1024 gets the one capability that it needs, and root keeps its own", () => {
  expect(unitFile({ ...PLAIN, listen: ["0.0.0.0:443"] })).toMatch(/^AmbientCapabilities=CAP_NET_BIND_SERVICE$/m);
  expect(unitFile({ ...PLAIN, user: "root" })).not.toMatch(/Capabilit|NoNewPrivileges/);
});

test("blanks, quotes, dollars and percent signs of a path stay what they are", () => {
  const unit = unitFile({ ...PLAIN, folder: '/srv/a "b" 5%$', config: "/srv/a b/teal.yaml" });
  expect(unit).toContain(String.raw`ReadWritePaths="/srv/a \"b\" 5%%$$"`);
  expect(unit).toContain('WorkingDirectory=/srv/a "b" 5%%$\n');
  expect(unit).toContain('--config "/srv/a b/teal.yaml"');
  const elsewhere = unitFile({ ...PLAIN, script: "/opt/a b 5%/bin/teal.js" });
  expect(elsewhere).toMatch(/^Documentation=file:\/\/\/opt\/a%%20b%%205%%25\/README\.md$/m);
});
