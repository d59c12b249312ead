/**
 * `npm run dead-letters -- list|show|refeed`: lists and shows refused lines, and feeds them again
 * after the definitions have been corrected.
 */

import { Pipeline } from '../../pipeline/microbatch/pipeline.ts'
import { formatInstant } from '../../pipeline/base/clock.ts'
import { FORMATS, formatOf, warehouseOf, warehouseToRead } from '../../pipeline/config.ts'
import { startDecoder } from '../../pipeline/decode/decoder-thread.ts'
import { definitionsOnRecord } from '../../pipeline/query/as-of.ts'
import { UserError } from '../../pipeline/base/errors.ts'
import { HASH_KEY_VARIABLE, requiredKey } from '../../pipeline/decode/hash-key.ts'
import { refeed } from '../../pipeline/operations/replay-dead-letters.ts'
import { command, warehouseCommand } from '../cli/command.ts'
import { folderOf } from '../cli/definitions-folder.ts'
import { counted } from '../../pipeline/base/text.ts'
import { say, sayJson } from '../cli/output.ts'

const SHOWN_MAX = 50
const RAW_SHOWN = 100

const list = warehouseCommand('list', `Lists the latest ${SHOWN_MAX} unresolved dead letters.`)
  .option('--reason <reason>', 'only those refused for this reason')
  .option('--json', 'one JSON object a line, all of them, with the raw text')
  .action(async (options: { warehouse: string; reason?: string; json?: boolean }) => {
    const warehouse = warehouseToRead(options.warehouse)
    await warehouse.open()
    try {
      const letters = await warehouse.query(
        `select dead_letter_id, reason, detail, received_at, origin, raw from dead_letters
         where resolved_at is null and reason = coalesce(?, reason)
         order by received_at desc, reason, dead_letter_id
         ${options.json === true ? '' : `limit ${SHOWN_MAX}`}`,
        [options.reason ?? null],
      )
      for (const letter of letters) {
        const raw = Buffer.from(letter['raw'] as Uint8Array).toString()
        const receivedAt = formatInstant(letter['received_at'] as number)
        if (options.json === true) {
          sayJson({ ...letter, received_at: receivedAt, raw })
          continue
        }
        const line = raw.length > RAW_SHOWN ? `${raw.slice(0, RAW_SHOWN)}…` : raw
        say([
          `${receivedAt}  ${letter['reason']}  ${letter['detail']}`,
          `    ${letter['dead_letter_id']}  ${line}`,
        ])
      }
      if (letters.length === 0) say(['no dead letters'])
    } finally {
      await warehouse.close()
    }
  })

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

function noLetter(id: string, why: string, exitCode?: 1 | 2): UserError {
  const next = { script: 'dead-letters', args: ['list'] }
  return new UserError(`${JSON.stringify(id)} ${why}; list them`, exitCode, next)
}

const show = warehouseCommand('show', 'Shows one dead letter in full.')
  .argument('<id>', 'dead_letter_id, as list prints it')
  .option('--json', 'one JSON object, with the raw text')
  .action(async (id: string, options: { warehouse: string; json?: boolean }) => {
    if (!ID.test(id)) throw noLetter(id, 'is not the id of a dead letter', 2)
    const warehouse = warehouseToRead(options.warehouse)
    await warehouse.open()
    try {
      const [letter] = await warehouse.query(
        `select dead_letter_id, reason, detail, received_at, origin, recorded_at, recorded_by,
           resolved_at, resolved_by, raw
         from dead_letters where cast(dead_letter_id as string) = ?`,
        [id],
      )
      if (letter === undefined) throw noLetter(id, `is not a dead letter of ${warehouse.url}`)
      const raw = Buffer.from(letter['raw'] as Uint8Array).toString()
      const instant = (name: string) =>
        letter[name] === null ? null : formatInstant(letter[name] as number)
      const told = {
        ...letter,
        received_at: instant('received_at'),
        recorded_at: instant('recorded_at'),
        resolved_at: instant('resolved_at'),
        raw,
      }
      if (options.json === true) {
        sayJson(told)
        return
      }
      for (const [name, value] of Object.entries(told)) {
        if (name !== 'raw') say([`${name.padEnd(15)} ${value ?? '-'}`])
      }
      say(['', ...raw.split('\n')])
    } finally {
      await warehouse.close()
    }
  })

type RefeedOptions = { warehouse: string; definitions?: string; format?: string; json?: boolean }

const again = warehouseCommand('refeed', 'Feeds every unresolved dead letter again.')
  .option(
    '--definitions <dir>',
    'folder with events.ts (default: the one this warehouse was last given)',
  )
  .option(
    '--format <format>',
    `wire format: ${FORMATS.join(', ')} (default: detected for each line)`,
  )
  .option('--json', 'one JSON object')
  .action(async (options: RefeedOptions) => {
    const warehouse = warehouseOf(options.warehouse)
    try {
      await warehouse.open()
      const definitions = await definitionsOnRecord(warehouse)
      const definitionsDir = await folderOf(warehouse, options.definitions)
      const hashKey = process.env[HASH_KEY_VARIABLE]
      requiredKey(definitions.identity, hashKey)
      const pipeline = await Pipeline.open(warehouse, definitions, { hashKey })
      const format = options.format === undefined ? undefined : formatOf(options.format)
      const { operandPaths } = pipeline.compiled
      const decoder = startDecoder(definitionsDir)
      decoder.configure({ identity: definitions.identity, operandPaths, format, hashKey })
      try {
        const report = await refeed(warehouse, pipeline, decoder.decode)
        const { fed, landed, duplicates, refused } = report
        if (options.json === true) sayJson(report)
        else {
          say([
            `${counted(fed, 'line')} fed: ${landed} landed, ${duplicates} were on record, ${refused} refused again`,
          ])
        }
      } finally {
        await decoder.close()
      }
    } finally {
      await warehouse.close()
    }
  })

export const program = command(
  'npm run dead-letters',
  'Lists, shows and feeds again refused lines.',
)
  .addCommand(list)
  .addCommand(show)
  .addCommand(again)
