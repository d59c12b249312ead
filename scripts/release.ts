/** `npm run release`: see `commands/release.ts`. */

import { main } from './cli/command.ts'
import { program } from './commands/release.ts'

await main(program)
