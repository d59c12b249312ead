/** `npm run bench`: see `bench/command.ts`. */

import { main } from './cli/command.ts'
import { program } from './bench/command.ts'

await main(program)
