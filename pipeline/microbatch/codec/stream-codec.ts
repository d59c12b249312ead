/** Codec of stream images: arrays by position, because member names would be half of the text. */

import type { Codec, StreamImage } from '../image-cache.ts'
import type { Json } from '../../base/json.ts'
import type { Place } from '../../base/event-order.ts'
import type { Claim } from '../../stages/resolve-identity.ts'
import type { Session } from '../../stages/sessionize.ts'
import { writePlace, type JsonWriter } from './json-writer.ts'

type StoredSession = [
  sessionId: string,
  startedAt: number,
  startOrdinal: number,
  endedAt: number,
  count: number,
  firstEvent: string,
  lastEvent: string,
  source: string,
  because: Session['because'],
  named: string | null,
  namedRank: number,
  exclusive: (string | null)[],
  split: Json[],
]

type StoredStream = [
  last: Place,
  open: StoredSession,
  openProfile: string,
  names: [identifier: string, profile: string][],
  lastNamed: string | null,
  hasUnnamed: 0 | 1,
  claim: Claim,
]

export const STREAM_CODEC: Codec<StreamImage> = {
  write: (out, image) => {
    out.openArray()
    writePlace(out, image.last)
    writeSession(out, image.open)
    out.string(image.openProfile)
    out.openArray()
    for (const name of image.names) out.strings(name)
    out.closeArray()
    out.stringOrNull(image.lastNamed)
    out.number(image.hasUnnamed ? 1 : 0)
    out.string(image.claim)
    out.closeArray()
  },
  decode: (text) => {
    const stored = JSON.parse(text) as StoredStream
    const [last, open, openProfile, names, lastNamed, hasUnnamed, claim] = stored
    return {
      last,
      open: readSession(open),
      openProfile,
      names,
      lastNamed,
      hasUnnamed: hasUnnamed === 1,
      claim,
    }
  },
}

function writeSession(out: JsonWriter, session: Session): void {
  out.openArray()
  out.string(session.sessionId)
  out.number(session.startedAt)
  out.number(session.startOrdinal)
  out.number(session.endedAt)
  out.number(session.count)
  out.string(session.firstEvent)
  out.string(session.lastEvent)
  out.string(session.source)
  out.string(session.because)
  out.stringOrNull(session.named)
  out.number(session.namedRank)
  out.strings(session.seen.exclusive)
  out.openArray()
  for (const value of session.seen.split) out.value(value)
  out.closeArray()
  out.closeArray()
}

function readSession(stored: StoredSession): Session {
  return {
    sessionId: stored[0],
    startedAt: stored[1],
    startOrdinal: stored[2],
    endedAt: stored[3],
    count: stored[4],
    firstEvent: stored[5],
    lastEvent: stored[6],
    source: stored[7],
    because: stored[8],
    named: stored[9],
    namedRank: stored[10],
    seen: { exclusive: stored[11], split: stored[12] },
  }
}
