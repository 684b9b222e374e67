import { expect, it } from "vitest"
import { jsonLines } from "./lines"

function stream(...chunks: Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk)
      controller.close()
    },
  })
}

async function all(body: ReadableStream<Uint8Array>): Promise<unknown[]> {
  const found = []
  for await (const line of jsonLines(body)) found.push(line)
  return found
}

it("finds the lines wherever the bytes are cut, within characters too", async () => {
  const bytes = new TextEncoder().encode('{"a":"任务"}\n{"b":2}\n')
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    expect(await all(stream(bytes.slice(0, cut), bytes.slice(cut)))).toEqual([{ a: "任务" }, { b: 2 }])
  }
})

it("passes over empty lines and leaves out a line that was cut off", async () => {
  expect(await all(stream(new TextEncoder().encode('\n{"a":1}\n{"b":')))).toEqual([{ a: 1 }])
})
