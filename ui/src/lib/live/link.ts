/** How a tab reaches the keeper: in a shared worker, or in the page where the browser has none. */

import { browserWorld } from "./world"
import { Keeper, type Port } from "./keeper"
import type { ToKeeper, ToTab } from "./messages"

export interface Link {
  send(message: ToKeeper): void
}

/** Connect; `receive` is called with each message, in their order. */
export function connect(receive: (message: ToTab) => void): Link {
  if (typeof SharedWorker === "undefined") return within(receive)
  const worker = new SharedWorker(new URL("./worker.ts", import.meta.url), { type: "module", name: "plum" })
  worker.port.onmessage = (event: MessageEvent<ToTab>) => receive(event.data)
  return { send: (message) => worker.port.postMessage(message) }
}

function within(receive: (message: ToTab) => void): Link {
  const keeper = new Keeper(browserWorld)
  const port: Port = { post: (message) => queueMicrotask(() => receive(message)) }
  setInterval(() => keeper.tidy(), 10_000)
  return { send: (message) => keeper.hear(port, message) }
}
