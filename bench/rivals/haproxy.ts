import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { Program } from "../lib/program.ts";
import { filled, type Rival, type RivalPlan, type RunningRival, type Side } from "./rival.ts";

/** Switches by weights, over its runtime socket (management guide, 9.3: `set server`). */
export const haproxy: Rival = {
  name: "haproxy",
  async start(plan: RivalPlan): Promise<RunningRival> {
    const { folder, port, threads, health, cpu, sides } = plan;
    const file = join(folder, "haproxy.cfg");
    const words = { FOLDER: folder, PORT: port, THREADS: threads, HEALTH: health, SERVERS: servers(plan) };
    writeFileSync(file, filled("haproxy.cfg", words));
    const program = await Program.start(["haproxy", "-db", "-f", file], { name: "haproxy", folder, cpu });
    return {
      program,
      async switchTo(side) {
        // What is to serve first, so that there is never nobody.
        const order: readonly Side[] = side === "blue" ? ["blue", "green"] : ["green", "blue"];
        const commands = order.flatMap((one) =>
          sides[one].map((_, i) => `set server app/${one}${String(i)} weight ${one === side ? "100" : "0"}`),
        );
        const answer = (await command(join(folder, "haproxy.sock"), commands.join("; "))).trim();
        if (answer !== "") throw new Error(`haproxy: ${answer}`);
        return true;
      },
    };
  },
};

function servers({ sides, active }: RivalPlan): string {
  const lines = (["blue", "green"] as const).flatMap((side) =>
    sides[side].map(
      (address, i) => `    server ${side}${String(i)} ${address} weight ${side === active ? "100" : "0"}`,
    ),
  );
  return lines.join("\n");
}

async function command(path: string, line: string): Promise<string> {
  const socket = connect(path);
  socket.setTimeout(5_000, () => socket.destroy(new Error("haproxy's runtime socket does not answer")));
  socket.end(`${line}\n`);
  return text(socket);
}
