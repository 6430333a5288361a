import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../lib/free-port.ts";
import { Program } from "../lib/program.ts";
import { filled, type Rival, type RivalPlan, type RunningRival, type Side } from "./rival.ts";

/** Switches by loading the configuration with the other side over its admin API (`POST /load`). */
export const caddy: Rival = {
  name: "caddy",
  async start(plan: RivalPlan): Promise<RunningRival> {
    const { folder, threads, cpu } = plan;
    const admin = freePort();
    const file = join(folder, "Caddyfile");
    writeFileSync(file, configuration(plan, plan.active, admin));
    const program = await Program.start(["caddy", "run", "--config", file, "--adapter", "caddyfile"], {
      name: "caddy",
      folder,
      cpu,
      // It keeps its last configuration and its certificates there.
      env: { GOMAXPROCS: String(threads), XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder, HOME: folder },
    });
    return {
      program,
      async switchTo(side) {
        const answer = await fetch(`http://127.0.0.1:${String(admin)}/load`, {
          method: "POST",
          headers: { "content-type": "text/caddyfile" },
          body: configuration(plan, side, admin),
          signal: AbortSignal.timeout(10_000),
        });
        if (!answer.ok) throw new Error(`caddy: ${String(answer.status)} ${await answer.text()}`);
        await answer.arrayBuffer();
        return true;
      },
    };
  },
};

function configuration({ port, sides }: RivalPlan, side: Side, admin: number): string {
  return filled("Caddyfile", { ADMIN: admin, PORT: port, SERVERS: sides[side].join(" ") });
}
