import { COMMON_OPTIONS } from "./verb.ts";

/** Whether an option that every verb takes has a value of its own, by its flag. */
const TAKES_VALUE = new Map(COMMON_OPTIONS.map(({ flags }) => [flags.split(" ")[0] ?? flags, flags.includes("<")]));

/**
 * The argument list with the verb's words in front: `--config X status` and `env --json list` are `status --config X` and
 * `env list --json`. `verbs` are the names of all verbs.
 */
export function verbFirst(argv: readonly string[], verbs: readonly string[]): readonly string[] {
  const words: string[] = [];
  const options: string[] = [];
  let rest = argv;
  while (rest.length > 0 && !verbs.includes(words.join(" "))) {
    const [token = "", ...others] = rest;
    const [flag = token] = token.split("=", 1);
    const takesValue = TAKES_VALUE.get(flag);
    const grown = [...words, token].join(" ");
    if (takesValue !== undefined) {
      const count = takesValue && flag === token ? 2 : 1;
      options.push(...rest.slice(0, count));
      rest = rest.slice(count);
    } else if (verbs.some((name) => name === grown || name.startsWith(`${grown} `))) {
      words.push(token);
      rest = others;
    } else break;
  }
  return [...words, ...options, ...rest];
}
