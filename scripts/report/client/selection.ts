/**
 * Selection of the reader: a state, the transition from one state to another, or nothing. The
 * rest of the page shows what is related to it.
 */

export type Selection = { state: string } | { from: string; to: string } | null

/** Whether a path of states goes through what is selected. Everything touches nothing. */
export function touchesPath(selection: Selection, path: string[]): boolean {
  if (selection === null) return true
  if ('state' in selection) return path.includes(selection.state)
  return path.some((state, i) => state === selection.from && path[i + 1] === selection.to)
}

/** Whether a state is what is selected, or an end of it. */
export function touchesState(selection: Selection, state: string): boolean {
  if (selection === null) return true
  if ('state' in selection) return selection.state === state
  return selection.from === state || selection.to === state
}

/** Whether a way is what is selected, or leads to or from it. */
export function touchesWay(selection: Selection, from: string, to: string): boolean {
  if (selection === null) return true
  if ('state' in selection) return selection.state === from || selection.state === to
  return selection.from === from && selection.to === to
}

export function isSame(a: Selection, b: Selection): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

export function nameOf(selection: Exclude<Selection, null>): string {
  if ('state' in selection) return selection.state
  return `${selection.from} → ${selection.to}`
}

/** Whether the step at `i` of a path is what is selected, or an end of it. */
export function touchesStep(selection: Selection, path: string[], i: number): boolean {
  if (selection === null) return false
  if ('state' in selection) return path[i] === selection.state
  const { from, to } = selection
  return (path[i] === from && path[i + 1] === to) || (path[i] === to && path[i - 1] === from)
}
