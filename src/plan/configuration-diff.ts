import type { ConfigurationChange } from "../model/plan.ts";
import type { ServiceSpec } from "../model/service.ts";
import { settingsOf, type Setting } from "./settings.ts";

/** What stands for the text of a secret, wherever settings are shown. */
const SECRET = "(secret)";
const CHANGED = "(secret, changed)";

/**
 * The settings that differ, by path as in teal.yaml, in the order of paths. Secrets are never shown: a change of one,
 * be it of its reference or of what that resolves to, reads `(secret)` → `(secret, changed)`.
 * Empty for a first release: it has nothing to differ from.
 */
export function configurationDiff(before: ServiceSpec | null, after: ServiceSpec): readonly ConfigurationChange[] {
  if (before === null) return [];
  const old = settingsOf(before);
  const now = settingsOf(after);
  const paths = [...new Set([...old.keys(), ...now.keys()])];
  return paths.flatMap((path) => change(path, old.get(path), now.get(path))).toSorted(byPath);
}

/** Whether a release with one specification behaves as one with the other, as far as Teal can know. */
export function sameConfiguration(a: ServiceSpec, b: ServiceSpec): boolean {
  return configurationDiff(a, b).length === 0;
}

function change(path: string, before: Setting | undefined, after: Setting | undefined): ConfigurationChange[] {
  if (before?.identity === after?.identity) return [];
  // The same text with another identity: a file of the same name with other contents.
  const note = before !== undefined && before.text === after?.text ? " (changed)" : "";
  return [{ path, before: shown(before), after: shown(after, before === undefined ? SECRET : CHANGED, note) }];
}

function shown(setting: Setting | undefined, secret = SECRET, note = ""): string | null {
  if (setting === undefined) return null;
  return setting.secret ? secret : setting.text + note;
}

/** `shift[10]` after `shift[9]`. */
const collator = new Intl.Collator("en", { numeric: true });

function byPath(a: ConfigurationChange, b: ConfigurationChange): number {
  return collator.compare(a.path, b.path);
}
