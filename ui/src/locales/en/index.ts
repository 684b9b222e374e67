import { apps } from "./apps"
import { assignments } from "./assignments"
import { editor } from "./editor"
import { events } from "./events"
import { nodes } from "./nodes"
import { overview } from "./overview"
import { services } from "./services"
import { shell } from "./shell"
import { tasks } from "./tasks"
import words from "./words"

export default { apps, assignments, editor, events, nodes, overview, services, shell, tasks, words }
