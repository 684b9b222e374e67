import type { editor as English } from "../en/editor"

export const editor: typeof English = {
  title: "editor",
}
