/** Tables with the state that batches continue from, one per kind of image. */

import { type ImageKind, IMAGE_KINDS, type StateTable } from './warehouse.ts'
import type { TableName } from './tables.ts'

export function imageTable(kind: ImageKind): `${ImageKind}_image` {
  return `${kind}_image`
}

export const IMAGE_TABLES = IMAGE_KINDS.map(imageTable)

/** Tables that are read by key: history of streams, and images. */
export const KEYED_TABLES = ['history', ...IMAGE_TABLES] as const

/** Tables with the state that batches continue from. */
export const STATE_TABLES: readonly StateTable[] = ['timer', ...KEYED_TABLES]

/** Those that journeys and funnels determine. */
export const PROFILE_STATE: readonly StateTable[] = ['timer', imageTable('profile')]

export function isImageTable(table: TableName): boolean {
  return IMAGE_TABLES.some((image) => image === table)
}
