/**
 * The public views: their names, their columns in order, and a sentence on each. Columns are those
 * that the SQL files select and the tables list; `descriptions/` has the sentences.
 * `test/warehouse/public-views.test.ts` compares them with the views as they are made.
 */

import type { Column } from './column.ts'
import { COLUMN_DESCRIPTIONS } from './descriptions/columns.ts'
import { VIEW_DESCRIPTIONS } from './descriptions/views.ts'
import { selectedColumns } from './selected-columns.ts'
import { sqlFiles, type SqlFile } from './sql-files.ts'
import { TABLES, VERSIONED_NAMES, type TableSpec, type VersionedName } from './tables.ts'
import { assert } from '../base/errors.ts'

export const SUPERSEDED = ['superseded_at', 'superseded_by', 'superseded_because'] as const

/** Public view and its columns in order, with a description each. */
export type DescribedView = {
  name: string
  about: string
  columns: { name: string; about: string }[]
}

let described: ReadonlyMap<string, DescribedView> | null = null

/** Returns the public views by ascending name. */
export function publicViews(): ReadonlyMap<string, DescribedView> {
  if (described !== null) return described
  const files = [...sqlFiles('views'), ...sqlFiles('analysis')]
  described = new Map(
    [...files.map(currentView), ...VERSIONED_NAMES.map(versionsView)]
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map((view) => [view.name, view]),
  )
  return described
}

/** Returns whether a relation is a public view, or such a view as of an instant. */
export function isPublic(relation: string): boolean {
  const end = relation.endsWith(AS_OF) ? -AS_OF.length : undefined
  return publicViews().has(relation.slice(0, end))
}

const AS_OF = '_as_of'

/** Returns the columns of the view of all versions of a table. */
export function versionsColumns(table: VersionedName): string[] {
  const columns: readonly Column[] = TABLES[table].columns
  const shown = columns.filter((column) => column.private !== true).map(({ name }) => name)
  return [...shown, 'recorded_at', 'recorded_by', ...SUPERSEDED]
}

function currentView({ name, text }: SqlFile): DescribedView {
  return describedView(name, name, VIEW_DESCRIPTIONS[name], selectedColumns(name, text))
}

function versionsView(table: VersionedName): DescribedView {
  const { view, versions }: TableSpec = TABLES[table]
  const about = `Every version of the rows of \`${view}\`, current and superseded.`
  return describedView(versions as string, view as string, about, versionsColumns(table))
}

/** `current` is the view whose columns have the same meaning. */
function describedView(
  name: string,
  current: string,
  about: string | undefined,
  columns: string[],
): DescribedView {
  assert(about !== undefined, `descriptions/views.ts describes ${name}`)
  return {
    name,
    about,
    columns: columns.map((column) => {
      const text = COLUMN_DESCRIPTIONS[`${current}.${column}`] ?? COLUMN_DESCRIPTIONS[column]
      assert(text !== undefined, `descriptions/columns.ts describes ${name}.${column}`)
      return { name: column, about: text }
    }),
  }
}
