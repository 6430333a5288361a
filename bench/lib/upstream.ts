import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startNginx, userLine } from "../rivals/nginx.ts";
import { filled } from "../rivals/rival.ts";
import { freePort } from "./free-port.ts";
import type { Program } from "./program.ts";

export interface Upstream {
  /** `host:port` */
  readonly address: string;
  readonly program: Program;
}

/** A server of fixed answers: `/`, `/10k`, `/1m`, and `/orders` for POST. */
export async function startUpstream(folder: string, cpu: number): Promise<Upstream> {
  const port = freePort();
  const file = join(folder, "upstream.conf");
  mkdirSync(join(folder, "files"));
  writeFileSync(join(folder, "files", "10k"), "x".repeat(10_240));
  writeFileSync(join(folder, "files", "1m"), "x".repeat(1_048_576));
  writeFileSync(file, filled("upstream.conf", { FOLDER: folder, PORT: port, USER: userLine() }));
  const program = await startNginx("upstream", file, folder, cpu);
  const address = `127.0.0.1:${String(port)}`;
  await program.ready(`http://${address}/`);
  return { address, program };
}
