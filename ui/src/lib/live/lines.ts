/** Newline-delimited JSON from a stream of bytes, as watches send it. */

/** Yields each line's value as soon as the line is whole. Throws SyntaxError for a line that is no JSON. */
export async function* jsonLines(body: ReadableStream<Uint8Array>): AsyncGenerator<unknown> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let rest = ""
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      const lines = (rest + decoder.decode(value, { stream: true })).split("\n")
      rest = lines.pop() ?? ""
      for (const line of lines) if (line) yield JSON.parse(line)
    }
  } finally {
    // Leaving early closes the connection: nobody reads it any more.
    reader.cancel().catch(() => undefined)
  }
}
