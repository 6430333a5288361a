import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Program } from "../lib/program.ts";
import { filled, type Rival, type RivalPlan, type RunningRival, type Side } from "./rival.ts";

/** Switches by a reload with the other side as upstream ("Controlling nginx": SIGHUP), which gives no answer. */
export const nginx: Rival = {
  name: "nginx",
  async start(plan: RivalPlan): Promise<RunningRival> {
    const { folder, cpu } = plan;
    const file = join(folder, "nginx.conf");
    writeFileSync(file, configuration(plan, plan.active));
    const program = await startNginx("nginx", file, folder, cpu);
    return {
      program,
      switchTo(side) {
        writeFileSync(file, configuration(plan, side));
        program.signal("SIGHUP");
        return Promise.resolve(false);
      },
    };
  },
};

export function startNginx(name: string, file: string, folder: string, cpu: number | null): Promise<Program> {
  return Program.start(["nginx", "-p", folder, "-e", "stderr", "-c", file], { name, folder, cpu });
}

/** Workers of a master that root started may read the folder of the benchmark, which is root's. */
export function userLine(): string {
  return process.getuid?.() === 0 ? "user root;" : "";
}

function configuration({ folder, port, threads, sides }: RivalPlan, side: Side): string {
  const servers = sides[side].map((address) => `        server ${address};`).join("\n");
  return filled("nginx.conf", { FOLDER: folder, PORT: port, THREADS: threads, USER: userLine(), SERVERS: servers });
}
