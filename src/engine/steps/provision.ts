import { TealError } from "../../model/error.ts";
import type { StepHandler } from "../step.ts";

/** The release's files in a folder of their own, as they were when the deployment was accepted. */
export const provision: StepHandler = {
  async run(run) {
    const { parts, context } = run;
    const { release } = run;
    const { service, id, version, digest, spec } = release;
    const unpacked = await parts.releases.unpack(service, id, version, spec.release, context.signal);
    if (unpacked.digest !== digest) {
      await parts.releases.remove(service, id);
      throw new TealError(
        "release-source",
        `the files of ${version} changed at their source while it was being deployed`,
        {
          remedy: "Deploy again once nothing writes there any more.",
        },
      );
    }
    return {
      result: { directory: unpacked.directory, digest },
      effects: { events: [run.event("release-frozen", { release: id, version, digest })] },
    };
  },
  // The folder stays for a later deploy of the same release, or until it is pruned.
  undo: null,
};
