/** Nearest known name of a misspelt one, for "did you mean". */

/** Nearest known name, and whether the given name is probably a misspelling of it. */
export type Nearest = { name: string; isSlip: boolean }

/** Names are cut to this length before comparison, which bounds the work. */
const LENGTH_MAX = 64

/**
 * Returns the known name with the smallest edit distance, or null if none resembles the name. It is
 * a misspelling if only letter case and separators differ, or if there is 1 edit in names of at
 * least 4 letters, or 2 edits in names of at least 12.
 */
export function nearestName(name: string, known: Iterable<string>): Nearest | null {
  const letters = lettersOf(name)
  let nearest: { name: string; distance: number } | null = null
  for (const other of known) {
    const distance = editDistance(letters, lettersOf(other))
    if (nearest === null || distance < nearest.distance) nearest = { name: other, distance }
  }
  if (nearest === null) return null
  const { distance } = nearest
  const { length } = letters
  const isSlip = distance === 0 || distance <= (length >= 12 ? 2 : length >= 4 ? 1 : 0)
  return isSlip || distance <= length / 2.5 ? { name: nearest.name, isSlip } : null
}

/** Returns `did you mean 'X'? ` for a name that resembles a known one, else an empty text. */
export function didYouMean(name: unknown, known: Iterable<string>): string {
  const nearest = typeof name === 'string' ? nearestName(name, known) : null
  return nearest === null ? '' : `did you mean '${nearest.name}'? `
}

const lettersOf = (name: string) =>
  name
    .slice(0, LENGTH_MAX)
    .toLowerCase()
    .replace(/[\s_.:-]/g, '')

/** Returns the number of insertions, deletions, replacements and swaps of neighbours. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (last[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      const edited = Math.min(replaced, (last[j] as number) + 1, (row[j - 1] as number) + 1)
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      row.push(isSwap ? Math.min(edited, (beforeLast[j - 2] as number) + 1) : edited)
    }
    beforeLast = last
    last = row
  }
  return last[b.length] as number
}
