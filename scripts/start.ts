/** `npm start`: see `commands/start.ts`. */

import { main } from './cli/command.ts'
import { program } from './commands/start.ts'

await main(program)
