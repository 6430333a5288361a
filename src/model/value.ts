/** Literal text, or text with references in it. `template` keeps the text as written; `hash` is the SHA-256 (hex) of what it resolved to when frozen. */
export type Value = string | SecretReference;
export interface SecretReference {
  /** The text as written, with its `${env:X}` and `${file:P}` parts; a relative P was made absolute. */
  readonly template: string;
  readonly hash: string;
}
