/** What a tab and the keeper of the connection say to each other. Plain data: it crosses a worker's boundary. */

import type { Plural } from "../api/kinds"
import type { ApiObject, WatchEvent } from "./collection"

export type Connection =
  /** Nothing is wanted yet, or the first answer is on its way. */
  | { state: "connecting" }
  | { state: "live" }
  /** The connection broke; what is known is shown as of `since` (ms since 1970). */
  | { state: "reconnecting"; since: number; detail: string }
  /** The server wants to know who asks; `detail` is its own sentence. */
  | { state: "signedOut"; detail: string }

export type ToKeeper =
  /** A tab begins, with the token that it remembers; empty for none. */
  | { type: "hello"; token: string }
  /** Somebody has signed in: it counts for all tabs. */
  | { type: "signIn"; token: string }
  | { type: "signOut" }
  | { type: "want"; kinds: Plural[] }
  /** The server did not know who asked: whoever follows for the tab should ask again. */
  | { type: "doubt" }
  /** A tab is still there. */
  | { type: "ping" }
  /** Waiting may be over: the network is back, or somebody looks. */
  | { type: "hurry" }
  | { type: "bye" }

export type ToTab =
  | { type: "connection"; connection: Connection }
  | { type: "snapshot"; kind: Plural; objects: ApiObject[]; truncated: boolean }
  | { type: "events"; kind: Plural; events: WatchEvent[] }
  | { type: "refused"; kind: Plural; status: unknown }
  /** In whose name the API is asked from now on; empty for nobody's. */
  | { type: "token"; token: string }
  /** By how many milliseconds the server's clock is ahead of the browser's. */
  | { type: "clock"; ahead: number }
  /** The tab was forgotten (it had been silent for long): it should say again what it wants. */
  | { type: "forgotten" }
