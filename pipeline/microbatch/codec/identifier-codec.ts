/** Codec of identifier images: arrays by position; what repeats the profile is 0. */

import { noSightings, type Codec, type IdentifierImage, type Sighting } from '../image-cache.ts'
import type { JsonWriter } from './json-writer.ts'

type StoredSighting = [profile: string | 0, firstAt: number, duration: number, count: number]

type StoredIdentifier = [
  component: string | 0 | null,
  profile: string,
  sightings: [stream: string | 0, sightings: StoredSighting[]][],
]

export const IDENTIFIER_CODEC: Codec<IdentifierImage> = {
  write: (out, { component, profile, sightings }) => {
    out.openArray()
    if (component === null) out.null()
    else writeShort(out, component, profile)
    out.string(profile)
    out.openArray()
    for (const stream in sightings) {
      out.openArray()
      writeShort(out, stream, profile)
      out.openArray()
      for (const sighting of sightings[stream] as Sighting[]) {
        const [owner, firstAt, lastAt, count] = sighting
        out.openArray()
        writeShort(out, owner, profile)
        out.number(firstAt)
        out.number(lastAt - firstAt)
        out.number(count)
        out.closeArray()
      }
      out.closeArray()
      out.closeArray()
    }
    out.closeArray()
    out.closeArray()
  },
  decode: (text) => {
    const [component, profile, stored] = JSON.parse(text) as StoredIdentifier
    const long = (short: string | 0) => (short === 0 ? profile : short)
    const sightings = noSightings()
    for (const [stream, list] of stored) {
      sightings[long(stream)] = list.map(([owner, firstAt, duration, count]) => [
        long(owner),
        firstAt,
        firstAt + duration,
        count,
      ])
    }
    return { component: component === null ? null : long(component), profile, sightings }
  },
}

function writeShort(out: JsonWriter, text: string, profile: string): void {
  if (text === profile) out.number(0)
  else out.string(text)
}
