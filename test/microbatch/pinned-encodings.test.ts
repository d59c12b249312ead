/**
 * Pinned hashes, ids, state images and history segments. They persist in warehouses, so later
 * versions must produce the same. A change here needs a new encoding number, or it breaks every
 * warehouse.
 */

import { expect, test } from 'vitest'
import { Texts } from '../../pipeline/base/texts.ts'
import { encodePart, hash64, uuidOf } from '../../pipeline/base/hash.ts'
import { hashOf, fingerprintOf } from '../../pipeline/decode/hash-key.ts'
import { makeDefinitions } from '../../pipeline/definition/load.ts'
import { deadLetterId } from '../../pipeline/microbatch/deduplicate.ts'
import { addSegment } from '../../pipeline/microbatch/codec/history-codec.ts'
import { imagesFor } from '../../pipeline/microbatch/codec/profile-codec.ts'
import { compile } from '../../pipeline/definition/compile.ts'
import { Events } from '../../pipeline/stages/events.ts'
import { IMAGE_KINDS } from '../../pipeline/warehouse/warehouse.ts'
import { Harness } from '../support/dump.ts'
import { buying } from '../support/histories/two-version-journey.ts'

test('pins hashes of texts of every length of the last block', () => {
  const texts = [
    '',
    'a',
    'ab',
    'abc',
    'abcd',
    'abcde',
    'abcdef',
    'abcdefg',
    'abcdefgh',
    'abcdefghi',
  ]
  const more = ['zoë@example.org', '🜁', 'user_id:u1/checkout/e-1', 'x'.repeat(100)]
  expect([...texts, ...more].map((text) => [uuidOf(text), hash64(text).toString(16)]))
    .toMatchInlineSnapshot(`
    [
      [
        "00000000-0000-0000-0000-000000000000",
        "0",
      ],
      [
        "0e8ff097-4247-a279-105c-c0d47440e91d",
        "4247a2790e8ff097",
      ],
      [
        "45bd4ec1-8c2d-8f26-5228-8175bdec19d4",
        "8c2d8f2645bd4ec1",
      ],
      [
        "4ceb37f6-0c6c-63b1-9782-1c60928edb7e",
        "c6c63b14ceb37f6",
      ],
      [
        "26389e6c-c185-9c53-7d6c-2c079662e3ca",
        "c1859c5326389e6c",
      ],
      [
        "9bb4062e-3f4b-5adb-38fd-741a53e959e3",
        "3f4b5adb9bb4062e",
      ],
      [
        "6de9d053-f804-47b1-6725-158ef5a84c63",
        "f80447b16de9d053",
      ],
      [
        "6ab7dc45-ef45-ab7d-c295-7b33dd8a68fa",
        "ef45ab7d6ab7dc45",
      ],
      [
        "24dec44f-e666-e246-a850-ba4ccb67c818",
        "e666e24624dec44f",
      ],
      [
        "38bb0e0b-64ef-6b0d-b183-6f89af52bf4b",
        "64ef6b0d38bb0e0b",
      ],
      [
        "fed3d5ca-4502-fe8e-840d-6f340bcd55b3",
        "4502fe8efed3d5ca",
      ],
      [
        "1ffcc1ff-29ac-e919-f267-cb37613c53d4",
        "29ace9191ffcc1ff",
      ],
      [
        "4f91a6de-a097-3737-db49-c39dec201867",
        "a09737374f91a6de",
      ],
      [
        "0e89745b-2ff2-01bf-26d8-6c1c9ce2b263",
        "2ff201bf0e89745b",
      ],
    ]
  `)
})

test('pins hashed identifiers, key fingerprints, dead letter ids and parts of ids', () => {
  expect([
    hashOf('key', 'ada@example.org'),
    fingerprintOf('key'),
    deadLetterId(Buffer.from('{"a":"ë"}'), 'invalid_field'),
    encodePart('a/b%c'),
  ]).toMatchInlineSnapshot(`
    [
      "e7e8f78d42b4160369dc797e67eb041376b3e03a947677eb23d1053a78ea3b1a",
      "df3158da2ddb9e4de317450edafbba4c",
      "8bcb6616-3f2a-71fd-26ae-8d62e162ad92",
      "a%2Fb%25c",
    ]
  `)
})

const at = (minute: number) => `2026-03-01T10:0${minute}:00Z`
const event = (id: string, name: string, minute: number, identifiers: object, more: object = {}) =>
  JSON.stringify({
    event_id: id,
    name,
    occurred_at: at(minute),
    identifiers,
    source: 'web',
    ...more,
  })

const LINES = [
  event('e1', 'Product Viewed', 0, { anonymous_id: 'a1' }),
  event('e2', 'Product Added', 1, { anonymous_id: 'a1', user_id: 'u1', email: 'u1@example.org' }),
  event('e3', 'Product Removed', 2, { anonymous_id: 'a1' }, { properties: { items_left: 0 } }),
  event('e4', 'Product Added', 3, { anonymous_id: 'a1' }),
  event('e5', 'Order Completed', 4, { user_id: 'u1' }, { properties: { value: 5 } }),
  event(
    'e6',
    'Product Viewed',
    5,
    { user_id: 'u2' },
    { alias: ['user_id:u2', 'email:u2@example.org'] },
  ),
  event('e7', 'Seen', 6, { user_id: 'u3' }, { alias: ['user_id:a1', 'user_id:u3', 'if_carried'] }),
]

async function fed(): Promise<Harness> {
  const harness = new Harness(makeDefinitions({ journeys: [buying(1, '1d')] }))
  await harness.feed(LINES.slice(0, 4))
  await harness.feed(LINES.slice(4))
  return harness
}

test('pins ids and row keys in the tables', async () => {
  const { warehouse } = await fed()
  const texts = async (sql: string) =>
    (await warehouse.query(sql)).map((row) => Object.values(row).join(' '))
  expect({
    transitions: await texts(
      'select transition_id, instance_id from transitions order by occurred_at, seq',
    ),
    cycles: await texts('select cycle_id from cycles'),
    attempts: await texts('select attempt_id from funnel_attempts order by 1'),
    releases: await texts('select id, hash from releases order by kind, id, action'),
  }).toMatchInlineSnapshot(`
    {
      "attempts": [
        "7e880ea3-493d-41e1-eb3c-05da71944950",
        "dd8e5276-793c-803a-abbe-c12c2beaf92d",
      ],
      "cycles": [
        "ec0c9077-4f9a-3d37-0ca5-43a17616b1b9",
      ],
      "releases": [
        "identity abf4fb1379df7a40c484ce3cbf4853762e12e1abd2ffe9c930b2ca770729ce98",
        "buying e27122199b79a59d213ebb3a47f7a987994c9860375987d67010bc77bc48a735",
        "buying e27122199b79a59d213ebb3a47f7a987994c9860375987d67010bc77bc48a735",
        "sessions 48d10c20efefca7a5e6945670b70c7b3c18cecb26e5d16d79f1fd3929e2e89ff",
      ],
      "transitions": [
        "c2ecef27-cc7a-5ac3-9c69-832a4c7bd5f4 user_id:u1/e1",
        "705cc15f-f8ca-b20b-e988-565b49bc34e5 user_id:u1/e1",
        "d2cb2afd-23d2-a929-38ca-d33740ac0b89 user_id:u1/e1",
        "6d67f297-9b69-0308-9aa9-3f1e227162dc user_id:u1/e1",
        "84c538ca-5e40-1b07-ef2d-4492999544ed user_id:u2/e6",
      ],
    }
  `)
})

test('pins state images and history segments', async () => {
  const { warehouse } = await fed()
  const keys = ['anonymous_id:a1', 'user_id:u1', 'user_id:u2', 'email:u1@example.org', 'user_id:a1']
  const stored: { [kind: string]: [string, string][] } = {}
  for (const kind of IMAGE_KINDS) stored[kind] = [...(await warehouse.images(kind, keys))].sort()
  const segments = [...(await warehouse.segments(keys))].sort()
  expect({ ...stored, segments }).toMatchInlineSnapshot(`
    {
      "component": [
        [
          "user_id:a1",
          "2 {"members":["user_id:a1","user_id:u3"],"pairs":[{"kept":"user_id:a1","refused":"user_id:u3","firstLink":null,"aliases":[],"ifCarried":[["user_id:a1",[1772359560000000,0,"e7"]]],"unlinked":null}],"conflicts":[]}",
        ],
        [
          "user_id:u1",
          "2 {"members":["user_id:u1","email:u1@example.org"],"pairs":[{"kept":"user_id:u1","refused":"email:u1@example.org","firstLink":[1772359260000000,0,"e2"],"aliases":[],"ifCarried":[],"unlinked":null}],"conflicts":[]}",
        ],
        [
          "user_id:u2",
          "2 {"members":["user_id:u2","email:u2@example.org"],"pairs":[{"kept":"user_id:u2","refused":"email:u2@example.org","firstLink":null,"aliases":[[1772359500000000,0,"e6"]],"ifCarried":[],"unlinked":null}],"conflicts":[]}",
        ],
      ],
      "identifier": [
        [
          "anonymous_id:a1",
          "2 [null,"anonymous_id:a1",[[0,[["user_id:u1",1772359200000000,180000000,4]]]]]",
        ],
        [
          "email:u1@example.org",
          "2 [0,"user_id:u1",[["anonymous_id:a1",[[0,1772359260000000,0,1]]]]]",
        ],
        [
          "user_id:a1",
          "2 [0,"user_id:a1",[]]",
        ],
        [
          "user_id:u1",
          "2 [0,"user_id:u1",[["anonymous_id:a1",[[0,1772359260000000,0,1]]],[0,[[0,1772359440000000,0,1]]]]]",
        ],
        [
          "user_id:u2",
          "2 [0,"user_id:u2",[[0,[[0,1772359500000000,0,1]]]]]",
        ],
      ],
      "profile": [
        [
          "user_id:u1",
          "3 ["user_id:u1",[[1772359440000000,0,"e5"],["anonymous_id:a1","user_id:u1"],1772445780000000,null,[[[null,"e1",1772359200000000,0,4,[],86580000000,0,[[1,180000000,1,"e4",0,[2,2,0,0],[0,1],[120000000,180000000],1]]]]],[null,[[[["main/0/e1","/e1","","e1",1772359200000000,0,0,"web","e1",[0,1],1772359260000000]],1,0]]]]]",
        ],
        [
          "user_id:u2",
          "3 ["user_id:u2",[[1772359500000000,0,"e6"],["user_id:u2"],1772618700000001,null,[[[null,"e6",1772359500000000,0,1,[],null,0,[[0,0,0,"e6",0,[1,0,0,0],[0],[0],0]]]]],[null,[[[["main/0/e6","/e6","","e6",1772359500000000,0,0,"web","e6",[0],1772359500000000]],1,0]]]]]",
        ],
      ],
      "segments": [
        [
          "anonymous_id:a1",
          [
            "2 [["Product Viewed","Product Added","Product Removed","web","user_id:u1","email:u1@example.org","anonymous_id:a1"],[1772359200000000,60000000,60000000,60000000],{"n":[4],"v":[0]},["e1","e2","e3","e4"],[1,2,3,2],{"n":[4],"v":[4]},[[0,5,0,0],[0,6,0,0],{"n":[4],"v":[7]},null],[[null,null,0,null],null]]",
          ],
        ],
        [
          "user_id:u1",
          [
            "2 [["Order Completed","web","user_id:u1"],[1772359440000000],[0],["e5"],[1],[2],[[3],null,null,null],[null,[5]]]",
          ],
        ],
        [
          "user_id:u2",
          [
            "2 [["Product Viewed","web","user_id:u2"],[1772359500000000],[0],["e6"],[1],[2],[[3],null,null,null],[null,null]]",
          ],
        ],
      ],
      "stream": [
        [
          "anonymous_id:a1",
          "1 [[1772359380000000,0,"e4"],["e1",1772359200000000,0,1772359380000000,4,"Product Viewed","Product Added","web","first","user_id:u1",0,["user_id:u1"],[]],"user_id:u1",[],null,0,"neighbours"]",
        ],
        [
          "user_id:u1",
          "1 [[1772359440000000,0,"e5"],["e5",1772359440000000,0,1772359440000000,1,"Order Completed","Order Completed","web","first","user_id:u1",0,["user_id:u1"],[]],"user_id:u1",[],null,0,"neighbours"]",
        ],
        [
          "user_id:u2",
          "1 [[1772359500000000,0,"e6"],["e6",1772359500000000,0,1772359500000000,1,"Product Viewed","Product Viewed","web","first","user_id:u2",0,["user_id:u2"],[]],"user_id:u2",[],null,0,"neighbours"]",
        ],
      ],
    }
  `)
})

test('rejects an unknown encoding by its number', async () => {
  const { definitions } = new Harness(makeDefinitions({ journeys: [buying(1, '1d')] }))
  for (const kind of IMAGE_KINDS) {
    for (const [text, number] of [
      ['9999 []', 9999],
      ['{"last":[1,0,"e1"]}', 0],
      ['["user_id:u1",[]]', 0],
    ]) {
      const state = { images: async () => new Map([['k', String(text)]]) }
      const images = imagesFor(compile(definitions), { state, max: 1, isEmpty: false })
      const message = `${kind} state of this warehouse has encoding ${number}, and this version`
      await expect(images[kind].load(['k'])).rejects.toThrow(message)
    }
  }
  const shape = { texts: new Texts(), eventCodes: new Map(), namespaces: 1, operands: 0 }
  const read = () => addSegment(new Events(shape), 0, '3 [[]]')
  expect(read).toThrow(
    'history of this warehouse has encoding 3, and this version of the program reads encoding 2: ' +
      'load the original events into a new warehouse, npm start -- --warehouse duckdb:NEW.duckdb FILE',
  )
})
