/**
 * `npm run forget -- --user u-123`: erases a person. Without `--yes` it prints what would be erased,
 * and reads the warehouse without writing.
 */

import { rmSync } from 'node:fs'
import { now } from '../../pipeline/base/clock.ts'
import { scratchOf, stateDirOf, warehouseOf, warehouseToRead } from '../../pipeline/config.ts'
import { definitionsOnRecord } from '../../pipeline/query/as-of.ts'
import { ASKING } from '../../pipeline/duckdb/resource-limits.ts'
import { forget, type Forgotten } from '../../pipeline/operations/forget.ts'
import { HASH_KEY_VARIABLE } from '../../pipeline/decode/hash-key.ts'
import { counted } from '../../pipeline/base/text.ts'
import { warehouseCommand } from '../cli/command.ts'
import { grouped } from '../cli/funnel-lines.ts'
import { nextLine } from '../cli/next-command.ts'
import { say, sayJson } from '../cli/output.ts'

type Options = {
  warehouse: string
  user: string
  keepAnonymous?: boolean
  yes?: boolean
  json?: boolean
}

export const program = warehouseCommand('npm run forget', 'Erases a person permanently.')
  .requiredOption('--user <who>', 'value of a person namespace, or namespace:value')
  .option('--keep-anonymous', 'keep the events and journeys under a pseudonym')
  .option('--yes', 'do it (default: print the plan)')
  .option('--json', 'one JSON object')
  .action(async (options: Options) => {
    const isPlan = options.yes !== true
    const { warehouse: url } = options
    const warehouse = isPlan ? warehouseToRead(url) : warehouseOf(url, ASKING)
    try {
      await warehouse.open()
      const definitions = await definitionsOnRecord(warehouse)
      // An interrupted replay may have left a copy of the events. It is removed first, because a
      // crash after the erasure would leave it behind.
      // The state store, which no run has open now, has copies too.
      if (!isPlan) {
        await scratchOf(warehouse).discard()
        const stateDir = stateDirOf(warehouse)
        if (stateDir !== undefined) rmSync(stateDir, { recursive: true, force: true })
      }
      const forgotten = await forget({
        warehouse,
        definitions,
        user: options.user,
        isKept: options.keepAnonymous === true,
        isPlan,
        at: now(),
        hashKey: process.env[HASH_KEY_VARIABLE],
      })
      if (options.json === true) sayJson(objectOf(forgotten, isPlan))
      else say([...linesOf(forgotten, isPlan), isPlan ? planEnd(options) : doneEnd(forgotten)])
    } finally {
      await warehouse.close()
    }
  })

function objectOf({ person, counts, kept, batch }: Forgotten, isPlan: boolean) {
  const { profileId, persons, devices } = person
  return { profile_id: profileId, persons, devices, counts, kept, batch: isPlan ? null : batch }
}

function linesOf({ person, counts, kept }: Forgotten, isPlan: boolean): string[] {
  const shared = person.unmarked.length
  const rows = Object.entries(counts).map(([table, count]) => {
    return `    ${table.padEnd(24)} ${count.toLocaleString('en-US').padStart(9)}`
  })
  return [
    person.profileId,
    `  identifiers  ${person.persons.join(', ')}`,
    `  own devices  ${person.devices.join(', ') || 'none'}`,
    `  events       ${grouped(person.events.size)}${shared === 0 ? '' : `, ${grouped(shared)} of them without any of these identifiers`}`,
    `  rows ${isPlan ? 'to erase' : 'erased'}`,
    ...rows,
    ...(kept === 0
      ? []
      : [`  ${counted(kept, 'event')} ${isPlan ? 'to keep' : 'kept'} under a pseudonym`]),
  ]
}

function planEnd({ user, keepAnonymous }: Options): string {
  const kept = keepAnonymous === true ? ['--keep-anonymous'] : []
  const line = nextLine('forget', '--user', user, ...kept, '--yes')
  return `  nothing has been changed; to erase them permanently: ${line}`
}

function doneEnd({ batch }: Forgotten): string {
  return `  committed as batch ${batch}; the view erasures has the certificate`
}
