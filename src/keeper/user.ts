import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { TealError } from "../model/error.ts";

const run = promisify(execFile);

export interface UserIds {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Ids to run an instance as; null when it is to run as Teal's own user. Asks `id`, so that LDAP and the like work.
 * @throws `user-unknown` when there is no such user, or Teal may not become it
 */
export async function userIds(user: string | null): Promise<UserIds | null> {
  if (user === null) return null;
  const [uid, gid] = await Promise.all([ask("-u", user), ask("-g", user)]);
  if (uid === process.getuid?.()) return null;
  if (process.getuid?.() !== 0) {
    throw new TealError("user-unknown", `only root can run an app as ${user}`, {
      remedy: "Run Teal as root, or as that user, or take environment.user out of teal.yaml.",
    });
  }
  return { uid, gid };
}

async function ask(option: "-u" | "-g", user: string): Promise<number> {
  try {
    const { stdout } = await run("id", [option, "--", user]);
    return Number(stdout.trim());
  } catch (cause) {
    throw new TealError("user-unknown", `there is no user ${user} on this machine`, {
      cause,
      remedy: "Create the user, or mend environment.user in teal.yaml.",
    });
  }
}
