/** Tables that hold the state a batch continues from, one for each kind of image. */

import { type ImageKind, IMAGE_KINDS } from './warehouse.ts'
import type { TableName } from './tables.ts'

export function imageTable(kind: ImageKind): `${ImageKind}_image` {
  return `${kind}_image`
}

export const IMAGE_TABLES = IMAGE_KINDS.map(imageTable)

export function isImageTable(table: TableName): boolean {
  return IMAGE_TABLES.some((image) => image === table)
}
