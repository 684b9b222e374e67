import type { tasks as English } from "../en/tasks"

export const tasks: typeof English = {
  title: "tasks",
}
