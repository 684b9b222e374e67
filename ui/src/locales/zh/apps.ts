import type { apps as English } from "../en/apps"

export const apps: typeof English = {
  title: "apps",
}
