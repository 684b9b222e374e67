/** Saving all that the server has of a log. */

import { idOf } from "../addresses"
import { request } from "../api/client"
import { token } from "../api/session"
import { saveBlob, saveFrom } from "../save_file"
import { logPath, type LogSource } from "./source"

const FROM_THE_BEGINNING = "0:0"

/**
 * Save the log of all runs that are kept. The browser streams it to the disk by itself, where it may: it cannot send
 * the token of a session along, so that then the page reads it. Throws ApiFailure.
 */
export async function downloadLog(source: LogSource, timestamps: boolean): Promise<void> {
  const query: Record<string, string> = { cursor: FROM_THE_BEGINNING }
  if (timestamps) query["timestamps"] = "true"
  const path = logPath(source, query)
  const name = `${idOf(source.name, source.namespace)}.log`
  if (!token.value) {
    // A first look: what fails is to be told here, not by a file that the browser could not save.
    await (await request(logPath(source, { ...query, limitBytes: "1" }), { accept: "text/plain" })).text()
    saveFrom(name, path)
    return
  }
  const response = await request(path, { accept: "text/plain", timeout: 0 })
  saveBlob(name, await response.blob())
}
