/** `npm run replay`: see `commands/replay.ts`. */

import { main } from './cli/command.ts'
import { program } from './commands/replay.ts'

await main(program)
