import { once } from "node:events";
import { rmSync } from "node:fs";
import type { FastifyInstance } from "fastify";
import { TealError } from "../model/error.ts";

/**
 * Serves on a unix socket that this user alone may use. A socket file that a dead server left is replaced: the caller has
 * made sure, by its ownership of the state directory, that no other server is there.
 * @throws `state-directory` when the socket cannot be made
 */
export async function listenOnSocket(app: FastifyInstance, path: string): Promise<void> {
  await app.ready();
  try {
    rmSync(path, { force: true });
    const { server } = app;
    // Not by Fastify's own listen, which binds later: the file must be private from its first instant, as others may pass
    // through the state directory.
    const before = process.umask(0o177);
    try {
      server.listen(path);
    } finally {
      process.umask(before);
    }
    await once(server, "listening");
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new TealError("state-directory", `the socket ${path} cannot be made: ${why}`, { cause });
  }
}
