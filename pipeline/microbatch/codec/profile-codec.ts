/**
 * Codec of profile images: arrays by position, because member names would be most of the text.
 *
 * Infinities, which JSON lacks, are written as null. Values that can be computed from the rest, such as an
 * instance's id, are not stored.
 */

import { decodeFunnels, writeFunnels, type StoredFunnels } from './funnel-codec.ts'
import { IDENTIFIER_CODEC } from './identifier-codec.ts'
import { writePlace, type JsonWriter } from './json-writer.ts'
import { STREAM_CODEC } from './stream-codec.ts'
import type { Compiled } from '../../definition/compile.ts'
import {
  instanceId,
  type Instance,
  Instances,
  profileState,
  type TrackState,
} from '../../stages/instance.ts'
import {
  ImageCache,
  JSON_CODEC,
  type AllImages,
  type Codec,
  type ComponentImage,
  type ProfileImage,
} from '../image-cache.ts'
import type { StateReads } from '../../state/state-store.ts'
import type { Machine } from '../../definition/machine.ts'
import { mapped } from '../../base/mapped.ts'
import type { Place } from '../../base/event-order.ts'
import { versionedCodec } from './encoding-version.ts'
import type { ImageKind } from '../../warehouse/warehouse.ts'

/** Version numbers of the encodings; a changed encoding gets the next number. */
const ENCODINGS: { [kind in ImageKind]: number } = {
  stream: 1,
  identifier: 2,
  component: 2,
  profile: 3,
}

/** Instants are microseconds after the instance's start. */
type StoredTrack = [
  state: number,
  enteredAt: number,
  cause: number,
  eventId: string | null,
  timeoutsPast: number,
  visits: number[],
  path: number[],
  pathAt: number[],
  cycles: number,
]

type StoredInstance = [
  key: string | null,
  startEventId: string,
  startedAt: number,
  startOrdinal: number,
  seq: number,
  counts: number[],
  due: number | null,
  isComplete: 0 | 1,
  tracks: StoredTrack[],
]

type StoredProfile = [
  last: Place | null,
  streams: string[],
  due: number | null,
  decidedUpTo: number | null,
  instances: StoredInstance[][],
  /** Absent if there is nothing to keep. */
  funnels?: StoredFunnels,
]

/** Returns empty caches of all kinds of images. */
export function imagesFor(
  compiled: Compiled,
  parts: { state: Pick<StateReads, 'images'>; max: number; isEmpty: boolean },
): AllImages {
  const images = <K extends ImageKind, T>(kind: K, codec: Codec<T>) => {
    const numbered = versionedCodec(`${kind} state`, ENCODINGS[kind], codec)
    return new ImageCache<T>({ ...parts, kind, codec: numbered })
  }
  return {
    stream: images('stream', STREAM_CODEC),
    identifier: images('identifier', IDENTIFIER_CODEC),
    component: images('component', JSON_CODEC as Codec<ComponentImage>),
    profile: images('profile', profileCodec(compiled)),
  }
}

/** Returns the codec. The profile id comes first, because every instance id begins with it. */
function profileCodec({ machines, funnels }: Compiled): Codec<ProfileImage> {
  return {
    write: (out, image) => {
      out.openArray()
      out.string(image.profileId)
      out.openArray()
      if (image.last === null) out.null()
      else writePlace(out, image.last)
      out.strings(image.streams)
      out.number(image.due)
      out.number(image.state.decidedUpTo)
      out.openArray()
      for (const { all } of image.state.instances) {
        out.openArray()
        for (const instance of all) writeInstance(out, instance)
        out.closeArray()
      }
      out.closeArray()
      writeFunnels(out, funnels, image.funnels, image.profileId)
      out.closeArray()
      out.closeArray()
    },
    decode: (text) => {
      const [profileId, stored] = JSON.parse(text) as [string, StoredProfile]
      const [last, streams, due, decidedUpTo, byMachine, kept] = stored
      return {
        profileId,
        last,
        streams,
        due: due ?? Infinity,
        state: profileState(
          mapped(machines, (machine, m) => readInstances(profileId, machine, byMachine[m] ?? [])),
          decidedUpTo ?? -Infinity,
        ),
        funnels: decodeFunnels(funnels, kept ?? null, profileId),
      }
    },
  }
}

function writeInstance(out: JsonWriter, instance: Instance): void {
  const { startedAt } = instance
  out.openArray()
  out.stringOrNull(instance.key)
  out.string(instance.startEventId)
  out.number(startedAt)
  out.number(instance.startOrdinal)
  out.number(instance.seq)
  out.numbers(instance.counts)
  out.number(instance.due - startedAt)
  out.number(instance.isComplete ? 1 : 0)
  out.openArray()
  for (const track of instance.tracks) writeTrack(out, track, startedAt)
  out.closeArray()
  out.closeArray()
}

function writeTrack(out: JsonWriter, track: TrackState, startedAt: number): void {
  out.openArray()
  out.number(track.state)
  out.number(track.enteredAt - startedAt)
  out.number(track.cause)
  out.stringOrNull(track.eventId)
  out.number(track.timeoutsPast)
  out.numbers(track.visits)
  out.numbers(track.path)
  out.openArray()
  for (const at of track.pathAt) out.number(at - startedAt)
  out.closeArray()
  out.number(track.cycles)
  out.closeArray()
}

function readInstances(
  profileId: string,
  machine: Machine,
  stored: readonly StoredInstance[],
): Instances {
  return new Instances(mapped(stored, (instance) => readInstance(profileId, machine, instance)))
}

function readInstance(profileId: string, machine: Machine, stored: StoredInstance): Instance {
  const [key, startEventId, startedAt, startOrdinal, seq, counts, due, isComplete, tracks] = stored
  return {
    id: instanceId(profileId, key, startEventId),
    profileId,
    machine,
    key,
    startEventId,
    startedAt,
    startOrdinal,
    seq,
    counts,
    tracks: mapped(tracks, (track) => readTrack(track, startedAt)),
    due: due === null ? Infinity : startedAt + due,
    isComplete: isComplete === 1,
  }
}

/** Returns the instants that are so many microseconds after a start. */
function later(micros: readonly number[], startedAt: number): number[] {
  const instants: number[] = []
  for (const one of micros) instants.push(startedAt + one)
  return instants
}

function readTrack(stored: StoredTrack, startedAt: number): TrackState {
  const [state, enteredAt, cause, eventId, timeoutsPast, visits, path, pathAt, cycles] = stored
  return {
    state,
    enteredAt: startedAt + enteredAt,
    cause,
    eventId,
    fact: -1,
    timeoutsPast,
    visits,
    path,
    pathAt: later(pathAt, startedAt),
    cycles,
  }
}
