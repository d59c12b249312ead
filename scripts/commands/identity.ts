/**
 * `npm run identity -- audit | link A B | unlink A B`: audits links between identifiers and corrects
 * them. Without `--yes` a correction only prints its plan, and reads the warehouse without writing.
 *
 * Exit 0: done, or planned; 1: failed; 2: wrong arguments.
 */

import { auditIdentity, type Audit } from '../../pipeline/query/audit-identity.ts'
import { formatInstant } from '../../pipeline/base/clock.ts'
import { warehouseOf, warehouseToRead } from '../../pipeline/config.ts'
import { ASKING } from '../../pipeline/duckdb/resource-limits.ts'
import {
  CORRECTION_NAME,
  correctIdentity,
  profilesOf,
  type CorrectionKind,
  type IdentifierProfile,
} from '../../pipeline/operations/correct-identity.ts'
import { definitionsOnRecord } from '../../pipeline/query/as-of.ts'
import type { Row } from '../../pipeline/warehouse/warehouse.ts'
import { counted } from '../../pipeline/base/text.ts'
import { command, warehouseCommand } from '../cli/command.ts'
import { say, sayJson } from '../cli/output.ts'
import { carryOutLine } from '../cli/next-command.ts'

const audit = warehouseCommand(
  'audit',
  'Lists the largest people, shared devices and refused links.',
)
  .option('--json', 'one JSON object')
  .action(async ({ warehouse: url, json }: { warehouse: string; json?: boolean }) => {
    const warehouse = warehouseToRead(url)
    await warehouse.open()
    try {
      const { identity } = await definitionsOnRecord(warehouse)
      const found = await auditIdentity(warehouse, identity)
      if (json === true) sayJson(found)
      else say(auditLines(found))
    } finally {
      await warehouse.close()
    }
  })

const countOf = (row: Row, column: string, one: string) => counted(Number(row[column]), one, column)

const none = (lines: string[]) => (lines.length === 0 ? ['  none'] : lines)

function auditLines(found: Audit): string[] {
  const { largestPersons, contestedDevices, refusedCount, refusedLinks, blockedValues } = found
  return [
    'Largest persons',
    ...none(
      largestPersons.map(
        (row) =>
          `  ${row['profile_id']}  ${countOf(row, 'identifiers', 'identifier')}, ${countOf(row, 'devices', 'device')}`,
      ),
    ),
    '',
    'Most contested devices',
    ...none(
      contestedDevices.map(
        (row) =>
          `  ${row['device']}  ${countOf(row, 'persons', 'person')}, ${countOf(row, 'events', 'event')}`,
      ),
    ),
    '',
    `Refused links: ${refusedCount}`,
    ...none(
      refusedLinks.map(
        (row) =>
          `  ${formatInstant(row['occurred_at'] as number).slice(0, 19)}  ` +
          `${row['kept']} with ${row['refused']}, by ${row['event_id']}`,
      ),
    ),
    '',
    'Blocked values',
    ...none(
      blockedValues.map(({ identifier, events }) => `  ${identifier}  ${counted(events, 'event')}`),
    ),
  ]
}

type Options = { warehouse: string; yes?: boolean; json?: boolean }

const correction = (kind: CorrectionKind, description: string) =>
  warehouseCommand(kind, description)
    .argument('<a>', 'person identifier, namespace:value')
    .argument('<b>', 'second identifier')
    .option('--yes', 'do it (default: print the plan)')
    .option('--json', 'one JSON object')
    .action((a: string, b: string, options: Options) => correct(kind, [a, b], options))

async function correct(
  kind: CorrectionKind,
  given: [string, string],
  { warehouse: url, yes, json }: Options,
): Promise<void> {
  const warehouse = yes === true ? warehouseOf(url, ASKING) : warehouseToRead(url)
  const { watermark } = await warehouse.open()
  try {
    const definitions = await definitionsOnRecord(warehouse)
    const before = await profilesOf(warehouse, definitions, given)
    const pair = before.map(({ identifier }) => identifier) as [string, string]
    const eventId = yes === true ? await correctIdentity(warehouse, definitions, kind, pair) : null
    const after = yes === true ? await profilesOf(warehouse, definitions, given) : null
    if (json === true) {
      sayJson({ kind, before, eventId, after })
      return
    }
    const lines = before.map(profileLine)
    if (after === null) {
      const at = watermark === null ? 'now' : formatInstant(watermark)
      const what = kind === 'link' ? 'links them to one person' : 'cancels their links'
      lines.push(
        `plan: an event "${CORRECTION_NAME}" at ${at} ${what}; all tables are corrected retroactively`,
        carryOutLine('identity'),
      )
    } else lines.push(`fed ${eventId}; now`, ...after.map(profileLine))
    say(lines)
  } finally {
    await warehouse.close()
  }
}

function profileLine({ identifier, profileId, eventCount }: IdentifierProfile): string {
  return `  ${identifier} belongs to ${profileId} (${counted(eventCount, 'event')})`
}

export const program = command('npm run identity', 'Audits and corrects links between identifiers.')
  .addCommand(audit)
  .addCommand(correction('link', 'Links two identifiers to one person.'))
  .addCommand(correction('unlink', 'Cancels every link between two identifiers.'))
