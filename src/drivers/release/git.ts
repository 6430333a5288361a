import { join } from "node:path";
import type { EpochMilliseconds } from "../../model/time.ts";
import { isName } from "../../model/names.ts";
import { TealError } from "../../model/error.ts";
import { ArchiveGuard, extractor, pump } from "./archive.ts";
import { requireFolder } from "./dir.ts";
import { Git } from "./git-command.ts";
import { fromSource, type SourceReader } from "./source.ts";

interface GitPlace {
  readonly repository: string;
  readonly path: string;
}

/**
 * A commit of a git repository: the version is a tag, a branch or a commit. The files are those of its tree, as
 * `git archive` gives them (`export-ignore` counts); what is not committed is never part of it.
 */
export class GitSource implements SourceReader<"git"> {
  readonly #environment: Readonly<Record<string, string | undefined>>;

  constructor(environment: Readonly<Record<string, string | undefined>> = process.env) {
    this.#environment = environment;
  }

  async digest(version: string, source: GitPlace, signal: AbortSignal): Promise<string> {
    return `git:${await this.#read(version, source, signal, (_git, { tree }) => Promise.resolve(tree))}`;
  }

  /** By the committer's clock (`git log --format=%ct`), to a second. */
  committedAt(version: string, source: GitPlace, signal: AbortSignal): Promise<EpochMilliseconds> {
    return this.#read(version, source, signal, async (git, { commit }) => {
      const seconds = await git.text(["log", "-1", "--no-show-signature", "--format=%ct", commit], signal);
      return Number(seconds) * 1_000;
    });
  }

  async fill(version: string, source: GitPlace, into: string, signal: AbortSignal): Promise<string> {
    const filled = await this.#read(version, source, signal, async (git, { tree }) => {
      await refuseSubmodules(git, tree, signal);
      const guard = new ArchiveGuard(`the tree of ${version} in ${source.repository}`);
      await git.stream(["archive", "--format=tar", tree], signal, (output) =>
        pump(output, extractor(into, guard), signal),
      );
      guard.finish();
      return tree;
    });
    return `git:${filled}`;
  }

  #read<T>(
    version: string,
    source: GitPlace,
    signal: AbortSignal,
    act: (git: Git, found: Found) => Promise<T>,
  ): Promise<T> {
    return fromSource(`reading ${version} from ${source.repository}`, signal, async () => {
      if (!isName(version)) throw new TealError("release-source", `${version} cannot be the name of a version`);
      await requireFolder(source.repository);
      const place = new Git(source.repository, this.#environment);
      const top = await place.text(["rev-parse", "--show-cdup"], signal);
      // From the top, as `git archive` below it leaves out what is elsewhere.
      const git = new Git(join(source.repository, top), this.#environment);
      const path = insidePath(await place.text(["rev-parse", "--show-prefix"], signal), source.path);
      return act(git, await resolveTree(git, version, source.repository, path, signal));
    });
  }
}

/** Object ids: of the commit, and of the folder in it. */
interface Found {
  readonly commit: string;
  readonly tree: string;
}

/** The folder `path` at `version`. */
async function resolveTree(
  git: Git,
  version: string,
  repository: string,
  path: string,
  signal: AbortSignal,
): Promise<Found> {
  const commit = await git.find(`${version}^{commit}`, signal);
  if (commit === null) {
    throw new TealError("release-source", `${repository} has no tag, branch or commit ${version}`, {
      remedy: `Fetch or create it: \`git -C ${repository} tag ${version}\`.`,
    });
  }
  const object = await git.find(`${commit}:${path}`, signal);
  if (object === null) throw new TealError("release-source", `${version} of ${repository} does not have ${path}`);
  const type = await git.text(["cat-file", "-t", object], signal);
  if (type === "tree") return { commit, tree: object };
  throw new TealError("release-source", `${path} in ${version} of ${repository} is a ${type}, not a folder`);
}

/** Path from the repository's root: `path` starts at the configured folder, which may lie within the repository. */
function insidePath(prefix: string, path: string): string {
  const parts = `${prefix}/${path}`.split("/").filter((part) => part !== "" && part !== ".");
  if (path.startsWith("/") || parts.includes("..")) {
    throw new TealError("release-source", `the path ${path} leads out of the repository`);
  }
  return parts.join("/");
}

/** A submodule's files are in another repository; without them the release would be silently incomplete. */
async function refuseSubmodules(git: Git, tree: string, signal: AbortSignal): Promise<void> {
  const listing = await git.text(["ls-tree", "-r", "--full-tree", tree], signal);
  const submodule = listing.split("\n").find((line) => line.startsWith("160000 "));
  if (submodule === undefined) return;
  throw new TealError(
    "release-source",
    `it has the submodule ${submodule.split("\t")[1] ?? ""}, whose files git does not archive`,
    {
      remedy: "Use release: { dir: … } on a checkout with its submodules, or a tarball.",
    },
  );
}
