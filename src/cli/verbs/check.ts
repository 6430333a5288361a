import { type TealError, toTealError } from "../../model/error.ts";
import type { Verb } from "../verb.ts";

export const check: Verb = {
  name: "check",
  summary: "Tell every problem of teal.yaml, with its line",
  arguments: [],
  options: [],
  examples: [
    { command: "teal check", about: "the nearest teal.yaml" },
    { command: "teal check --config deploy/teal.yaml --json", about: "another one, for an editor or a pipeline" },
  ],
  json: "{ok, file, services, problems: [{path, line, message}], warnings: [{service, message}]}; on stdout and exit 2 when there are problems, too",
  async run(call) {
    const file = call.configFile();
    try {
      const config = await call.parts.loadConfig(file, call.io.env);
      const services = Object.keys(config.services);
      const warnings = await call.parts.cautions(config);
      if (call.json) call.document({ ok: true, file, services, problems: [], warnings });
      call.say(`${call.style.good("✓")} ${file} is good: ${services.join(", ")}`);
      for (const { service, message } of warnings) call.say(call.style.warn(`warning: ${service}: ${message}`));
      return 0;
    } catch (thrown) {
      const error = toTealError(thrown);
      if (!call.json || error.exit !== 2) throw error;
      call.document({ ok: false, file, services: [], problems: problemsOf(error), warnings: [] });
      return error.exit;
    }
  },
};

/** An error without places (a missing file) is one problem with the document as a whole. */
function problemsOf(error: TealError): TealError["problems"] {
  return error.problems.length > 0 ? error.problems : [{ path: "", line: null, message: error.message }];
}
