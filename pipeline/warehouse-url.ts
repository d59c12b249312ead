/**
 * Warehouse URLs. Apart from `config.ts`, so that a command that opens no warehouse, or fails before
 * it, does not load the engines.
 */

import type { Place } from './bigquery/client.ts'
import { UserError } from './base/errors.ts'

export const WAREHOUSE_DEFAULT = 'duckdb:journeys.duckdb'

/** Address of a BigQuery emulator, `HOST:REST_PORT:GRPC_PORT`. Without it, Google's API is used. */
export const EMULATOR_VARIABLE = 'DESIRE_PATH_BIGQUERY_EMULATOR'

/** Why commands that maintain datasets do not apply to files. */
const FILES_KEEP = 'a DuckDB file is migrated when it is opened and compacted when it is closed'

/** Parses `bigquery:PROJECT.DATASET`. A project id may contain colons and dots (`example.com:app`);
 * a dataset may not. */
export function bigqueryPlaceOf(url: string): Place {
  const [, project, dataset] = /^bigquery:([a-z][a-z0-9.:-]*)\.(\w+)$/.exec(url) ?? []
  if (project === undefined || dataset === undefined) {
    const hint = url.startsWith('duckdb:')
      ? FILES_KEEP
      : 'use bigquery:PROJECT.DATASET, for example bigquery:my-project.journeys'
    throw new UserError(`--warehouse ${JSON.stringify(url)} is not a dataset: ${hint}`, 2)
  }
  const emulator = process.env[EMULATOR_VARIABLE]
  if (emulator === undefined) return { project, dataset }
  const [, host, restPort, grpcPort] = /^([\w.-]+):(\d+):(\d+)$/.exec(emulator) ?? []
  if (host === undefined) {
    throw new UserError(
      `${EMULATOR_VARIABLE}=${emulator} is not an emulator address: use HOST:REST_PORT:GRPC_PORT`,
      2,
    )
  }
  const ports = { restPort: Number(restPort), grpcPort: Number(grpcPort) }
  return { project, dataset, emulator: { host, ...ports } }
}
