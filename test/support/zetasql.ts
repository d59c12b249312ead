/**
 * Parser, analyzer and reference evaluator of BigQuery's dialect, from `.peers/`. BigQuery rejects
 * what it rejects, and returns the rows it returns. Its catalogue starts with
 * `pipeline/warehouse/tables.ts` and grows by the columns of each accepted view.
 */

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Column } from '../../pipeline/warehouse/column.ts'
import {
  TABLES,
  VERSIONED_NAMES,
  type TableName,
  type TableSpec,
} from '../../pipeline/warehouse/tables.ts'
import type { Row } from '../../pipeline/warehouse/warehouse.ts'
import { freePort } from '../../scripts/emulators/free-port.ts'
import { peer, peerDir } from './peers.ts'
import { readRelations } from './read-relations.ts'
import { cellOf, KIND, valueOf, type Cell } from './zetasql-values.ts'

const PACKAGE = '@fivetrandevelopers/zetasql'

type Relation = { name: string; columns: { name: string; typeKind: number }[] }
type Analyzed = {
  resolvedStatement: {
    resolvedQueryStmtNode: {
      outputColumnList: { name: string; column: { type: { typeKind: number } } }[]
    }
  }
}
type Client = {
  testConnection(): Promise<boolean>
  getLanguageOptions(request: object): Promise<object>
  analyze(request: object): Promise<Analyzed>
}
type Evaluated = { content: { tableData: { row: { cell: Cell[] }[] } } }
type Api = {
  parse(request: object, done: (error: Error | null) => void): void
  evaluateQuery(request: object, done: (error: Error | null, reply: Evaluated) => void): void
}
type Module = {
  ZetaSQLClient: { init(port: number): void; getInstance(): Client; API: Api }
}

const KINDS: { [T in Column['type']]: number } = {
  text: KIND.string,
  json: KIND.json,
  instant: KIND.timestamp,
  integer: KIND.int64,
  boolean: KIND.bool,
  bytes: KIND.bytes,
  hash64: KIND.int64,
  uuid: KIND.string,
}

const REWRITES = [
  'FLATTEN',
  'PIVOT',
  'UNPIVOT',
  'WITH_EXPR',
  'BUILTIN_FUNCTION_INLINER',
  'LIKE_ANY_ALL',
  'INLINE_SQL_VIEWS',
  'INLINE_SQL_TVFS',
  'NULLIFERROR_FUNCTION',
  'TYPEOF_FUNCTION',
  'GROUPING_SET',
].map((rewrite) => `REWRITE_${rewrite}`)

/** Relations that the texts of `sql/views/` read, and the `_versions` of the others. */
function storedRelations(): Relation[] {
  const recorded: Column[] = [
    { name: 'recorded_at', type: 'instant' },
    { name: 'recorded_by', type: 'integer' },
  ]
  const superseded: Column[] = [
    { name: 'superseded_at', type: 'instant' },
    { name: 'superseded_by', type: 'integer' },
    { name: 'superseded_because', type: 'text' },
  ]
  const relation = (name: string, columns: readonly Column[]): Relation => ({
    name,
    columns: columns.map((column) => ({ name: column.name, typeKind: KINDS[column.type] })),
  })
  const tables = Object.keys(TABLES) as TableName[]
  return [
    ...tables.map((table) => {
      const { kind, columns } = TABLES[table]
      const name = kind === 'log' ? `${table}_log` : kind === 'versioned' ? `${table}_now` : table
      return relation(name, [...columns, ...recorded])
    }),
    ...VERSIONED_NAMES.map((table) => {
      const { versions, columns }: TableSpec = TABLES[table]
      const shown = columns.filter((column) => column.private !== true)
      return relation(versions as string, [...shown, ...recorded, ...superseded])
    }),
    relation('live_release', [
      { name: 'journey', type: 'text' },
      { name: 'version', type: 'integer' },
    ]),
    relation('live_funnel', [
      { name: 'funnel', type: 'text' },
      { name: 'owner', type: 'text' },
      { name: 'version', type: 'integer' },
    ]),
  ]
}

/** `max_by` and `min_by` of BigQuery, which this analyzer lacks. */
function choosers(): object[] {
  const any = (kind: string) => ({ kind, numOccurrences: 1 })
  return ['max_by', 'min_by'].map((name) => ({
    namePath: [name],
    group: 'desire_path',
    mode: 'AGGREGATE',
    signature: [
      {
        returnType: any('ARG_TYPE_ANY_1'),
        argument: [any('ARG_TYPE_ANY_1'), any('ARG_TYPE_ANY_2')],
      },
    ],
  }))
}

/** Starts an analyzer process with the given relations. Returns null if it is not installed and not
 * required. */
export async function startAnalyzer(relations = storedRelations()): Promise<Analyzer | null> {
  const module = peer<Module>(PACKAGE)
  const dir = peerDir(PACKAGE)
  if (module === null || dir === null) return null
  const port = await freePort()
  const server = spawn(join(dir, 'lib/zetasql/remote_server.so'), ['localhost', String(port)])
  module.ZetaSQLClient.init(port)
  const client = module.ZetaSQLClient.getInstance()
  if (!(await client.testConnection())) throw new Error('the analyzer does not respond')
  const language = await client.getLanguageOptions({ maximumFeatures: true })
  return new Analyzer(server, client, module.ZetaSQLClient.API, language, relations)
}

export class Analyzer {
  readonly #server: ChildProcess
  readonly #client: Client
  readonly #api: Api
  readonly #language: object
  readonly #relations: Relation[]
  /** Columns of the queries whose rows were requested. */
  readonly #asked = new Map<string, Relation['columns']>()

  constructor(
    server: ChildProcess,
    client: Client,
    api: Api,
    language: object,
    relations: Relation[],
  ) {
    this.#relations = relations
    this.#server = server
    this.#client = client
    this.#api = api
    this.#language = language
  }

  #options() {
    return {
      languageOptions: {
        ...this.#language,
        productMode: 'PRODUCT_EXTERNAL',
        supportedStatementKinds: [],
        reservedKeywords: ['QUALIFY'],
      },
      errorMessageMode: 'ERROR_MESSAGE_ONE_LINE',
      parameterMode: 'PARAMETER_NAMED',
      allowUndeclaredParameters: true,
      defaultTimezone: 'UTC',
      enabledRewrites: REWRITES,
    }
  }

  #request(relations: Relation[]) {
    return {
      options: this.#options(),
      descriptorPoolList: { definitions: [{ builtin: {} }] },
      simpleCatalog: {
        builtinFunctionOptions: { languageOptions: this.#language },
        customFunction: choosers(),
        table: relations.map(({ name, columns }, i) => ({
          name,
          serializationId: i + 1,
          column: columns.map((column) => ({
            name: column.name,
            type: { typeKind: column.typeKind },
          })),
        })),
      },
    }
  }

  /** Returns the columns of a query's result. Throws with the analyzer's message if it rejects the
   * query. */
  async columnsOf(sql: string): Promise<Relation['columns']> {
    const request = { sqlStatement: sql, ...this.#request(this.#relations) }
    const analyzed = await this.#client.analyze(request)
    return analyzed.resolvedStatement.resolvedQueryStmtNode.outputColumnList.map((output) => ({
      name: output.name,
      typeKind: output.column.type.typeKind,
    }))
  }

  /** Throws with the analyzer's message if it rejects a statement of any kind. */
  async accept(sql: string): Promise<void> {
    await this.#client.analyze({ sqlStatement: sql, ...this.#request(this.#relations) })
  }

  /** Throws if a script cannot be parsed. Its statements are not analyzed. */
  async parse(script: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const options = this.#options().languageOptions
      this.#api.parse({ sqlStatement: script, options, allowScript: true }, (error) =>
        error ? reject(error) : resolve(),
      )
    })
  }

  /** Adds a view's columns to the catalogue, under each of its names. */
  async addView(name: string, sql: string, ...others: string[]): Promise<void> {
    const columns = await this.columnsOf(sql)
    for (const each of [name, ...others]) this.#relations.push({ name: each, columns })
  }

  /** Returns the rows of a query over the given rows of its relations. All rows are sent over the
   * wire. */
  async rowsOf(sql: string, given: { [relation: string]: Row[] }): Promise<Row[]> {
    const columns = this.#asked.get(sql) ?? (await this.columnsOf(sql))
    this.#asked.set(sql, columns)
    const reads = await readRelations(sql)
    const relations = this.#relations.filter(
      ({ name }) => given[name] !== undefined && reads.includes(name),
    )
    const tableContent = Object.fromEntries(
      relations.map((relation) => [
        relation.name,
        {
          tableData: {
            row: (given[relation.name] ?? []).map((row) => ({
              cell: relation.columns.map(({ name, typeKind }) => cellOf(row[name], typeKind)),
            })),
          },
        },
      ]),
    )
    const request = { sql, ...this.#request(relations), tableContent }
    const evaluated = await new Promise<Evaluated>((resolve, reject) => {
      this.#api.evaluateQuery(request, (error, reply) => (error ? reject(error) : resolve(reply)))
    })
    return evaluated.content.tableData.row.map(({ cell }) =>
      Object.fromEntries(columns.map(({ name }, c) => [name, valueOf(cell[c] as Cell)])),
    )
  }

  async stop(): Promise<void> {
    const ended = once(this.#server, 'exit')
    this.#server.kill()
    await ended
  }
}
