/**
 * Image of each key that a micro-batch continues from, so that history need not be read, and the
 * cache of images in front of the state store.
 *
 * `ImageCache` is a write-back cache of one kind. Within a batch: `load` what the batch may touch,
 * then `get`, change in place, and `put`. With the commit call `settle`; after a failure call
 * `forget`, because images were changed in place. Between batches it keeps the images changed last, and the
 * most recently used others, up to `max` in total.
 *
 * While the cache contains everything ever stored (because the warehouse was empty when it was
 * opened), a missing key does not exist and nothing is read.
 */

import type { TextColumn } from '../base/columns.ts'
import { JsonWriter } from './codec/json-writer.ts'
import type { Claim } from '../stages/resolve-identity.ts'
import type { Session } from '../stages/sessionize.ts'
import type { Place } from '../base/event-order.ts'
import type { ProfileState } from '../stages/instance.ts'
import type { FunnelState } from '../stages/funnel-state.ts'
import type { ImageKind } from '../warehouse/warehouse.ts'
import type { StateReads } from '../state/state-store.ts'

/** Image of a stream: its open session, and what determines the owners of its closed ones. */
export type StreamImage = {
  /** Its last event. */
  last: Place
  open: Session
  openProfile: string
  /** Person identifiers that closed sessions name, each once, in order of first naming. */
  names: [identifier: string, profile: string][]
  /** Identifier named by the latest closed session that names a person. */
  lastNamed: string | null
  /** Whether some closed session names no person. */
  hasUnnamed: boolean
  /** Rule for these sessions, as of the last batch. */
  claim: Claim
}

/** Sightings of an identifier on a stream, by the profile of the events. */
export type Sighting = [profile: string, firstAt: number, lastAt: number, count: number]

/** Image of an identifier, person or device. */
export type IdentifierImage = {
  /** Key of its component; null if no link, alias or unlink has named it. */
  component: string | null
  /** For a person identifier, its person's profile; for a device identifier, the identifier itself. */
  profile: string
  /** By stream. */
  sightings: { [stream: string]: Sighting[] }
}

/** Returns an object for sightings. It has no prototype, so V8 keeps it as a hash table from the start:
 * an ordinary one has a hidden class for each stream. */
export function noSightings(): IdentifierImage['sightings'] {
  return Object.create(null) as IdentifierImage['sightings']
}

/** Links, aliases and the latest unlink of two person identifiers; cancelled ones are left out. */
export type Pair = {
  kept: string
  refused: string
  firstLink: Place | null
  aliases: Place[]
  /** Aliases that count only if an event carries the identifier they go from. */
  ifCarried: [from: string, place: Place][]
  /** The latest unlink. */
  unlinked: Place | null
}

/** Image of a component: identifiers connected by pairs, including refused and cancelled ones. */
export type ComponentImage = {
  members: string[]
  pairs: Pair[]
  conflicts: { kept: string; refused: string; place: Place }[]
}

/** Image of a profile with an event that some journey knows. */
export type ProfileImage = {
  profileId: string
  /** Last event folded; null if the profile has lost all its events. */
  last: Place | null
  /** Streams that may have events of the profile that journeys know. */
  streams: string[]
  /** Earliest pending timeout or end of a window; `Infinity` if none is pending. */
  due: number
  state: ProfileState
  funnels: FunnelState
}

/** Codec of an image. `write` leaves its text unended. */
export type Codec<T> = { write(out: JsonWriter, image: T): void; decode(text: string): T }

/** Codec of images that are plain JSON. */
export const JSON_CODEC = {
  write: (out: JsonWriter, image: unknown): void => out.json(image),
  decode: (text: string) => JSON.parse(text),
}

export type AllImages = {
  stream: ImageCache<StreamImage>
  identifier: ImageCache<IdentifierImage>
  component: ImageCache<ComponentImage>
  profile: ImageCache<ProfileImage>
}

/** Cached image; null means that the key is known to be absent, for this batch. */
type Entry<T> = {
  readonly key: string
  image: T | null
  isChanged: boolean
  /** Number of the last batch that loaded or put it. */
  usedIn: number
}

export class ImageCache<T> {
  readonly #kind: ImageKind
  readonly #state: Pick<StateReads, 'images'>
  readonly #codec: Codec<T>
  readonly #max: number
  readonly #cache = new Map<string, Entry<T>>()
  #changed: Entry<T>[] = []
  /** Counts batches. */
  #batch = 0
  #hasAll: boolean

  constructor(parts: {
    kind: ImageKind
    state: Pick<StateReads, 'images'>
    codec: Codec<T>
    max: number
    isEmpty: boolean
  }) {
    this.#kind = parts.kind
    this.#state = parts.state
    this.#codec = parts.codec
    this.#max = parts.max
    this.#hasAll = parts.isEmpty
  }

  /** Loads the images of `keys` for `get`. */
  async load(keys: Iterable<string>): Promise<void> {
    const missing = new Set<string>()
    for (const key of keys) {
      const entry = this.#cache.get(key)
      if (entry === undefined) missing.add(key)
      else entry.usedIn = this.#batch
    }
    if (missing.size === 0) return
    const stored = this.#hasAll ? null : await this.#state.images(this.#kind, [...missing])
    for (const key of missing) {
      const text = stored?.get(key)
      this.#add(key, text === undefined ? null : this.#codec.decode(text))
    }
  }

  /** Returns the image of a loaded key, or undefined. */
  get(key: string): T | undefined {
    return this.#cache.get(key)?.image ?? undefined
  }

  /** Marks the image as new or changed in place. */
  put(key: string, image: T): void {
    const entry = this.#cache.get(key) ?? this.#add(key, image)
    entry.image = image
    entry.usedIn = this.#batch
    if (entry.isChanged) return
    entry.isChanged = true
    this.#changed.push(entry)
  }

  #add(key: string, image: T | null): Entry<T> {
    const entry = { key, image, isChanged: false, usedIn: this.#batch }
    this.#cache.set(key, entry)
    return entry
  }

  /** Returns the images put since the last `settle`, encoded. */
  changed(): { keys: string[]; texts: TextColumn } {
    const keys: string[] = []
    const out = new JsonWriter()
    for (const { key, image } of this.#changed) {
      keys.push(key)
      this.#codec.write(out, image as T)
      out.end()
    }
    return { keys, texts: out.column() }
  }

  /** Must be called once the changes are in a commit. Changed images stay cached until the next
   * one; the least recently used others beyond the limit are dropped. */
  settle(): void {
    const others: Entry<T>[] = []
    for (const entry of this.#cache.values()) {
      if (entry.image === null) this.#cache.delete(entry.key)
      else if (entry.isChanged) entry.isChanged = false
      else others.push(entry)
    }
    const surplus = this.#cache.size - this.#max
    if (surplus > 0 && others.length > 0) {
      this.#hasAll = false
      if (surplus < others.length) others.sort(byUse)
      const count = Math.min(surplus, others.length)
      for (let i = 0; i < count; i++) this.#cache.delete((others[i] as Entry<T>).key)
    }
    this.#changed = []
    this.#batch += 1
  }

  /** Drops everything after a failed commit, so that images are read again. */
  forget(): void {
    this.#changed = []
    this.#cache.clear()
    this.#hasAll = false
  }
}

/** Orders entries by their last use, the earliest first. */
function byUse(a: Entry<unknown>, b: Entry<unknown>): number {
  return a.usedIn - b.usedIn
}
