/** The shared worker: one keeper for all tabs of the browser. */

import { browserWorld } from "./world"
import { Keeper, type Port } from "./keeper"
import type { ToKeeper, ToTab } from "./messages"

const keeper = new Keeper(browserWorld)
setInterval(() => keeper.tidy(), 10_000)

interface SharedWorkerScope {
  onconnect: ((event: MessageEvent) => void) | null
}

;(self as unknown as SharedWorkerScope).onconnect = (event) => {
  const channel = event.ports[0]
  if (!channel) return
  const port: Port = { post: (message: ToTab) => channel.postMessage(message) }
  channel.onmessage = (heard: MessageEvent<ToKeeper>) => keeper.hear(port, heard.data)
}
