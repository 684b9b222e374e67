import type { events as English } from "../en/events"

export const events: typeof English = {
  title: "events",
}
