/** Texts in SQL. */

/** Returns a text as a literal that both engines read; they escape quotes differently. */
export function literal(value: string): string {
  const parts = value.split(/(['\\\n\r])/).filter((part) => part !== '')
  const known = parts.map((part) =>
    /^['\\\n\r]$/.test(part) ? `chr(${part.charCodeAt(0)})` : `'${part}'`,
  )
  return known.length > 1 ? `concat(${known.join(', ')})` : (known[0] ?? "''")
}
