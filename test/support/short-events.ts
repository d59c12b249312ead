/** Events of one day in short notation, converted to the NDJSON that commands read. */

export type ShortEvent = [id: string, name: string, time: string, who: object, value?: unknown]

export function ndjsonOf(events: readonly ShortEvent[]): string {
  return events
    .map(([event_id, name, time, identifiers, value]) =>
      JSON.stringify({
        event_id,
        name,
        occurred_at: `2026-03-01T${time}:00Z`,
        identifiers,
        properties: { value },
      }),
    )
    .join('\n')
}
