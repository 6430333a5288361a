import type { ReleaseSource } from "../model/service.ts";
import { folder, insidePath } from "./folder.ts";
import type { Loading } from "./loading.ts";
import { map } from "./map.ts";
import { type Finding, rule } from "./rule.ts";

const KINDS = ["dir", "git", "tarball"] as const;

interface Written {
  readonly dir?: string | undefined;
  readonly git?: string | undefined;
  readonly path?: string | undefined;
  readonly tarball?: string | undefined;
}

/** `release`: where the files of a version come from. */
export function releaseSection(loading: Loading) {
  return map({
    dir: folder(loading)
      .meta({
        description: "Folder whose contents are the release, whatever the version is called.",
        examples: ["./app"],
      })
      .optional(),
    git: folder(loading)
      .meta({
        description: "Folder of a git repository; the version is the tag, branch or commit to deploy.",
        examples: ["."],
      })
      .optional(),
    path: insidePath
      .meta({
        description: "Folder of the repository that is the release, starting at `git`; without it, all of `git`.",
        examples: ["app"],
      })
      .optional(),
    tarball: folder(loading)
      .meta({
        description: "Folder of `VERSION.tar.gz` files (or `.tgz`, `.tar`), one for each version.",
        examples: ["./dist"],
      })
      .optional(),
  })
    .check(rule<Written>([], oneSource))
    .transform((written) => source(written, loading.directory))
    .meta({
      description:
        "Where the files of a version come from: exactly one of `dir`, `git` and `tarball`. Without this section the command finds its own artifact by `$TEAL_VERSION`, and runs in the folder of teal.yaml.",
      oneOf: KINDS.map((kind) => ({ required: [kind] })),
    });
}

function oneSource(written: Written): Finding[] {
  const named = KINDS.filter((kind) => Object.hasOwn(written, kind));
  const findings: Finding[] = [];
  if (named.length === 0) findings.push({ at: [], message: "names no source; write one of dir, git and tarball" });
  for (const extra of named.slice(1))
    findings.push({ at: [extra], message: `cannot stand beside ${String(named[0])}: a release has one source` });
  if (Object.hasOwn(written, "path") && !named.includes("git"))
    findings.push({ at: ["path"], message: "only goes with git" });
  return findings;
}

function source(written: Written, directory: string): ReleaseSource {
  if (written.dir !== undefined) return { kind: "dir", dir: written.dir };
  if (written.git !== undefined) return { kind: "git", repository: written.git, path: written.path ?? "." };
  if (written.tarball !== undefined) return { kind: "tarball", dir: written.tarball };
  return { kind: "none", dir: directory };
}
