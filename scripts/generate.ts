/** `npm run generate`: see `commands/generate.ts`. */

import { main } from './cli/command.ts'
import { program } from './commands/generate.ts'

await main(program)
