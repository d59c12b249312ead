/** Lists for hot loops. */

/**
 * Returns `list.map(to)` as a list with one kind of elements. V8's own `map` returns a packed list
 * when it is interpreted and a holey one when it is compiled, and code that reads both is compiled
 * twice.
 */
export function mapped<Item, Result>(
  list: readonly Item[],
  to: (item: Item, position: number) => Result,
): Result[] {
  const results: Result[] = []
  for (let i = 0; i < list.length; i++) results.push(to(list[i] as Item, i))
  return results
}
