/**
 * Core of MurmurHash3 x86 128-bit over UTF-16 code units; two units form one word. `hash.ts`
 * and `hash-prefix.ts` use it, and no other file does.
 */

export const C1 = 0x239b961b
export const C2 = 0xab0e9789
export const C3 = 0x38b34ae5
export const C4 = 0xa1e38b93

/** The four lanes of the hash; module variables avoid allocation. */
export let h1 = 0
export let h2 = 0
export let h3 = 0
export let h4 = 0

export function setLanes(a: number, b: number, c: number, d: number): void {
  h1 = a
  h2 = b
  h3 = c
  h4 = d
}

/** Mixes whole blocks of eight units of a text; returns the position after them. It is `mix` with the
 * lanes in local variables: that is twice as fast. */
export function mixUnits(text: string, from: number): number {
  let a = h1
  let b = h2
  let c = h3
  let d = h4
  let at = from
  for (; at + 8 <= text.length; at += 8) {
    const k1 = text.charCodeAt(at) | (text.charCodeAt(at + 1) << 16)
    const k2 = text.charCodeAt(at + 2) | (text.charCodeAt(at + 3) << 16)
    const k3 = text.charCodeAt(at + 4) | (text.charCodeAt(at + 5) << 16)
    const k4 = text.charCodeAt(at + 6) | (text.charCodeAt(at + 7) << 16)
    a ^= Math.imul(rotate(Math.imul(k1, C1), 15), C2)
    a = (Math.imul(rotate(a, 19) + b, 5) + 0x561ccd1b) | 0
    b ^= Math.imul(rotate(Math.imul(k2, C2), 16), C3)
    b = (Math.imul(rotate(b, 17) + c, 5) + 0x0bcaa747) | 0
    c ^= Math.imul(rotate(Math.imul(k3, C3), 17), C4)
    c = (Math.imul(rotate(c, 15) + d, 5) + 0x96cd1c35) | 0
    d ^= Math.imul(rotate(Math.imul(k4, C4), 18), C1)
    d = (Math.imul(rotate(d, 13) + a, 5) + 0x32ac3b17) | 0
  }
  setLanes(a, b, c, d)
  return at
}

/** Mixes the units of a text from a position on, fewer than eight, as one block. */
export function mixLastUnits(text: string, at: number): void {
  if (at === text.length) return
  mix(
    unit(text, at) | (unit(text, at + 1) << 16),
    unit(text, at + 2) | (unit(text, at + 3) << 16),
    unit(text, at + 4) | (unit(text, at + 5) << 16),
    unit(text, at + 6),
  )
}

/** Returns a unit of a text, 0 behind its end. */
export function unit(text: string, at: number): number {
  return at < text.length ? text.charCodeAt(at) : 0
}

export function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits))
}

/** Mixes one block of four words. */
export function mix(k1: number, k2: number, k3: number, k4: number): void {
  h1 ^= Math.imul(rotate(Math.imul(k1, C1), 15), C2)
  h1 = (Math.imul(rotate(h1, 19) + h2, 5) + 0x561ccd1b) | 0
  h2 ^= Math.imul(rotate(Math.imul(k2, C2), 16), C3)
  h2 = (Math.imul(rotate(h2, 17) + h3, 5) + 0x0bcaa747) | 0
  h3 ^= Math.imul(rotate(Math.imul(k3, C3), 17), C4)
  h3 = (Math.imul(rotate(h3, 15) + h4, 5) + 0x96cd1c35) | 0
  h4 ^= Math.imul(rotate(Math.imul(k4, C4), 18), C1)
  h4 = (Math.imul(rotate(h4, 13) + h1, 5) + 0x32ac3b17) | 0
}

/** Finishes the hash of a text of so many units. */
export function finish(length: number): void {
  h1 ^= length
  h2 ^= length
  h3 ^= length
  h4 ^= length
  h1 = (h1 + h2 + h3 + h4) | 0
  h2 = (h2 + h1) | 0
  h3 = (h3 + h1) | 0
  h4 = (h4 + h1) | 0
  h1 = avalanche(h1)
  h2 = avalanche(h2)
  h3 = avalanche(h3)
  h4 = avalanche(h4)
  h1 = (h1 + h2 + h3 + h4) | 0
  h2 = (h2 + h1) | 0
  h3 = (h3 + h1) | 0
  h4 = (h4 + h1) | 0
}

function avalanche(word: number): number {
  let h = word
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
