/** Cuts chunks of text into whole lines; a last line without its newline comes at the end. */
export async function* lines(chunks: AsyncIterable<unknown>): AsyncGenerator<string, void, undefined> {
  let rest = "";
  for await (const chunk of chunks) {
    const parts = (rest + String(chunk)).split("\n");
    rest = parts.pop() ?? "";
    yield* parts.filter((line) => line !== "");
  }
  if (rest !== "") yield rest;
}
