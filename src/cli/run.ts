import { Call } from "./call.ts";
import { fail } from "./failure.ts";
import type { Io } from "./io.ts";
import type { Parts } from "./parts.ts";
import { verbFirst } from "./verb-first.ts";
import { allVerbs, verbOf, VERBS } from "./verbs.ts";

/**
 * Runs one command line (without node and script) and returns its exit code. Loads the verb that was typed alone; all of
 * them only for the list of verbs and for one that is misspelt.
 */
export async function runCli(typed: readonly string[], io: Io, parts: Parts): Promise<number> {
  const argv = verbFirst(typed, Object.keys(VERBS));
  try {
    if (argv.length === 1 && argv[0] === "--version") {
      io.stdout.write(`${parts.version}\n`);
      return 0;
    }
    const name = verbOf(argv);
    const [{ parse, programOf }, verbs] = await Promise.all([
      import("./program.ts"),
      name === null ? allVerbs() : VERBS[name]().then((verb) => [verb]),
    ]);
    let exit = 0;
    const program = programOf(verbs, parts.version, io, async (verb, values) => {
      exit = await verb.run(new Call(io, parts, values));
    });
    await parse(program, argv.length === 0 ? ["--help"] : argv);
    return exit;
  } catch (thrown) {
    return fail(thrown, io, argv.includes("--json"));
  }
}
