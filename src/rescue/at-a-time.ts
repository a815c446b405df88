/** Acts on all of these, on so many at a time. */
export async function atATime<T>(most: number, items: Iterable<T>, act: (item: T) => Promise<void>): Promise<void> {
  const left = [...items].values();
  await Promise.all(Array.from({ length: most }, async () => {
    for (const item of left) await act(item);
  }));
}
