import type { assignments as English } from "../en/assignments"

export const assignments: typeof English = {
  title: "assignments",
}
