/** `npm run explain`: see `explain/command.ts`. */

import { main } from './cli/command.ts'
import { program } from './explain/command.ts'

await main(program)
