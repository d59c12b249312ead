/** Lookup of a property path in the schemas of `events.ts`. */

import type { ZodType } from 'zod'

/**
 * `known`: the schema has the path, or it declares no names. Otherwise `names` are the declared
 * names beside it, and `is` is the treatment of others: `open` accepts any, `unlisted` accepts any
 * without declaring so, `refused` rejects them.
 */
export type PathLookup =
  { is: 'known' } | { is: 'open' | 'unlisted' | 'refused'; names: readonly string[] }

/** The parts of JSON Schema that lead to a property. */
type Schema = {
  properties?: { [name: string]: Schema }
  additionalProperties?: Schema | boolean
  type?: string | string[]
  anyOf?: Schema[]
  oneOf?: Schema[]
  allOf?: Schema[]
  $ref?: string
}

/** Looks up a dot path in the schema of an event's properties; null accepts anything. */
export function lookUpPath(schema: ZodType | null, path: string): PathLookup {
  const root = schema === null ? null : schemaOf(schema)
  return root === null ? { is: 'known' } : walk(root, path.split('.'), '')
}

/** Returns Zod's JSON Schema; null for a Zod version without it. */
function schemaOf(schema: ZodType): Schema | null {
  const describe = (schema as Partial<Pick<ZodType, 'toJSONSchema'>>).toJSONSchema
  if (typeof describe !== 'function') return null
  try {
    return describe({ io: 'input', unrepresentable: 'any' }) as Schema
  } catch {
    return null
  }
}

function walk(schema: Schema, members: readonly string[], above: string): PathLookup {
  const [member, ...rest] = members
  if (member === undefined) return { is: 'known' }
  const parts = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])]
  if (parts.length > 0) return merged(parts.map((part) => walk(part, members, above)))
  if (schema.$ref !== undefined) return { is: 'known' }
  const { properties = {}, additionalProperties: others } = schema
  if (Object.hasOwn(properties, member)) {
    return walk(properties[member] as Schema, rest, `${above}${member}.`)
  }
  const types = [schema.type ?? []].flat()
  const names = Object.keys(properties).map((name) => above + name)
  if (types.length > 0 && !types.includes('object')) return { is: 'refused', names: [] }
  if (types.length === 0 || typeof others === 'object') return { is: 'open', names }
  return { is: others === false ? 'refused' : 'unlisted', names }
}

const ORDER = ['known', 'open', 'unlisted', 'refused'] as const

/** Merges the results of several schemas: the most permissive one, with all names. */
export function merged(lookups: readonly PathLookup[]): PathLookup {
  const is = ORDER.find((one) => lookups.some((lookup) => lookup.is === one)) ?? 'known'
  if (is === 'known') return { is }
  return { is, names: lookups.flatMap((lookup) => (lookup.is === 'known' ? [] : lookup.names)) }
}
