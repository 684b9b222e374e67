/** How a tab reaches the keeper: in a shared worker, or in the page where the browser has none or starts none. */

import { browserWorld } from "./world"
import { Keeper, type Port } from "./keeper"
import type { ToKeeper, ToTab } from "./messages"

export interface Link {
  send(message: ToKeeper): void
}

/** So long a keeper of a page alone goes on when nobody looks at the page. */
const HIDDEN_MS = 10_000

/**
 * Connect; `receive` is called with each message, in their order, and `renewed` when another keeper has taken over, which
 * knows nothing yet.
 */
export function connect(receive: (message: ToTab) => void, renewed: () => void): Link {
  if (typeof SharedWorker === "undefined") return within(receive)
  try {
    let link = shared(receive, () => {
      link = within(receive)
      renewed()
    })
    return { send: (message) => link.send(message) }
  } catch {
    // Where pages may store nothing, some browsers start no workers either.
    return within(receive)
  }
}

function shared(receive: (message: ToTab) => void, failed: () => void): Link {
  const worker = new SharedWorker(new URL("./worker.ts", import.meta.url), { type: "module", name: "plum" })
  worker.port.onmessage = (event: MessageEvent<ToTab>) => receive(event.data)
  // Its script could not be loaded: nothing will ever answer.
  worker.onerror = failed
  return { send: (message) => worker.port.postMessage(message) }
}

/**
 * Browsers open six connections to an origin, and each such page has one of them: those that nobody looks at give theirs
 * back, or the seventh page would wait for ever.
 */
function within(receive: (message: ToTab) => void): Link {
  const keeper = new Keeper(browserWorld)
  const port: Port = { post: (message) => queueMicrotask(() => receive(message)) }
  let isAway = false
  let leaving: ReturnType<typeof setTimeout> | undefined
  setInterval(() => keeper.tidy(), 10_000)
  document.addEventListener("visibilitychange", () => {
    clearTimeout(leaving)
    if (document.hidden) {
      leaving = setTimeout(() => {
        isAway = true
        keeper.hear(port, { type: "bye" })
      }, HIDDEN_MS)
    } else if (isAway) {
      isAway = false
      port.post({ type: "forgotten" })
    }
  })
  return { send: (message) => isAway || keeper.hear(port, message) }
}
