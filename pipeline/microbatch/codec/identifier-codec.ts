/** Codec of identifier images: arrays by position; what repeats the profile is 0. */

import { noSightings, type Codec, type IdentifierImage } from '../image-cache.ts'

type StoredSighting = [profile: string | 0, firstAt: number, duration: number, count: number]

type StoredIdentifier = [
  component: string | 0 | null,
  profile: string,
  sightings: [stream: string | 0, sightings: StoredSighting[]][],
]

export const IDENTIFIER_CODEC: Codec<IdentifierImage> = {
  encode: ({ component, profile, sightings }) => {
    const short = (text: string) => (text === profile ? 0 : text)
    const stored: StoredIdentifier = [
      component === null ? null : short(component),
      profile,
      Object.entries(sightings).map(([stream, list]) => [
        short(stream),
        list.map(([owner, firstAt, lastAt, count]) => [
          short(owner),
          firstAt,
          lastAt - firstAt,
          count,
        ]),
      ]),
    ]
    return JSON.stringify(stored)
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
