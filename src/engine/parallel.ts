/** Does it for all of them, so many at a time. @throws what the first failure throws; those under way go on */
export async function inParallel<T>(items: Iterable<T>, most: number, act: (item: T) => Promise<void>): Promise<void> {
  const left = items[Symbol.iterator]();
  const lane = async (): Promise<void> => {
    for (let next = left.next(); next.done !== true; next = left.next()) await act(next.value);
  };
  await Promise.all(Array.from({ length: most }, lane));
}
