/**
 * The logs of some instances as one: each followed by itself, their lines together in one bounded buffer. Lines come
 * in bundles, some twenty a second, however many they are.
 */

import { onScopeDispose, reactive, ref, shallowRef, watch, type Ref } from "vue"
import { delay } from "@/lib/delay"
import { LineBuffer } from "@/lib/log/buffer"
import { readEarlier } from "@/lib/log/earlier"
import { LogFollower, type FollowState, type LogWorld } from "@/lib/log/follower"
import { Lanes } from "@/lib/log/lanes"
import { LineMaker, type LogLine } from "@/lib/log/line"
import { tabSlots } from "@/lib/log/tab_slots"
import { openLog, type LogSource } from "@/lib/log/source"
import { beginsRun, type WireLine } from "@/lib/log/wire"

const CAPACITY = 20_000
const EARLIER = 2000
const BUNDLE_MS = 50
/** More lines than anybody can read are drawn less often, so that the page stays at hand. */
const BUSY_LINES = 200
const BUSY_MS = 250
/** Lines that may wait to be shown: for the next bundle, and while the log is paused. */
const WAITING = 5000

/** Of a browser's six connections, which all its pages share, one is the watch, and one stays free. */
const LANES = 4
const lanes = new Lanes(LANES, 1500, tabSlots("plum.log", LANES))
const HIDDEN_MS = 10_000
let closing: ReturnType<typeof setTimeout> | undefined
// A tab that nobody looks at leaves its connections to others, and goes on when it is looked at again.
document.addEventListener("visibilitychange", () => {
  clearTimeout(closing)
  if (document.hidden) closing = setTimeout(() => lanes.open(false), HIDDEN_MS)
  else lanes.open(true)
})

type EarlierState = "idle" | "loading" | "first" | "failed"

interface Running {
  stop: AbortController
  maker: LineMaker
}

export function useLogSession(
  sources: Ref<readonly LogSource[]>,
  options: { previous: Ref<boolean>; tail: () => number },
) {
  const buffer = new LineBuffer(CAPACITY)
  const running = new Map<string, Running>()
  const states = reactive(new Map<string, FollowState>())
  /** Grows with each change of the buffer. */
  const version = ref(0)
  /** Grows when lines were put elsewhere than at the end. */
  const order = ref(0)
  const arrived = ref(0)
  const dropped = ref(0)
  const isPaused = ref(false)
  const waiting = ref(0)
  const earlier = ref<EarlierState>("idle")
  const earlierError = shallowRef<unknown>()
  const isWhole = ref(false)

  let pending: LogLine[] = []
  const listeners: (() => void)[] = []
  let timer: ReturnType<typeof setTimeout> | undefined
  let pause = BUNDLE_MS
  let reading: AbortController | undefined

  function flush(): void {
    timer = undefined
    waiting.value = pending.length
    if (isPaused.value) return
    const lines = pending
    pause = lines.length > BUSY_LINES ? BUSY_MS : BUNDLE_MS
    pending = []
    waiting.value = 0
    if (lines.length) {
      const gone = buffer.append(lines)
      dropped.value += gone
      if (gone) {
        isWhole.value = false
        if (earlier.value === "first") earlier.value = "idle"
      }
      arrived.value += lines.length
      version.value += 1
    }
    for (const resolve of listeners.splice(0)) resolve()
  }

  function schedule(): void {
    timer ??= setTimeout(flush, pause)
  }

  function room(): Promise<void> {
    if (pending.length < WAITING) return Promise.resolve()
    return new Promise((resolve) => listeners.push(resolve))
  }

  function start(source: LogSource): void {
    const one: Running = { stop: new AbortController(), maker: new LineMaker(source.name) }
    running.set(source.name, one)
    const world: LogWorld = {
      open: (query, signal) => openLog(source, query, signal),
      turn: (signal) => lanes.take(signal),
      delay,
      random: Math.random,
    }
    const follower = new LogFollower(
      world,
      {
        past: (lines, whole) => !one.stop.signal.aborted && past(one, lines, whole),
        lines: (lines) => {
          if (one.stop.signal.aborted) return
          pending.push(...one.maker.make(lines))
          schedule()
        },
        state: (state) => !one.stop.signal.aborted && states.set(source.name, state),
        room,
      },
      { tail: options.tail(), previous: options.previous.value },
    )
    void follower.run(one.stop.signal)
  }

  function past(one: Running, wire: WireLine[], whole: boolean): void {
    const lines = one.maker.make(wire)
    isWhole.value = whole || (wire[0] !== undefined && beginsRun(wire[0]))
    if (running.size > 1 && buffer.length) {
      buffer.merge(lines)
      order.value += 1
    } else dropped.value += buffer.append(lines)
    version.value += 1
  }

  function stop(name: string): void {
    running.get(name)?.stop.abort()
    running.delete(name)
    states.delete(name)
    pending = pending.filter((line) => line.source !== name)
    buffer.without(name)
    order.value += 1
    version.value += 1
  }

  function stopAll(): void {
    for (const { stop: controller } of running.values()) controller.abort()
    running.clear()
    reading?.abort()
    for (const resolve of listeners.splice(0)) resolve()
  }

  /** Begin anew. */
  function restart(): void {
    stopAll()
    states.clear()
    pending = []
    buffer.clear()
    waiting.value = 0
    dropped.value = 0
    earlier.value = "idle"
    isWhole.value = false
    order.value += 1
    version.value += 1
    for (const source of sources.value) start(source)
  }

  /** Try again what failed. */
  function retry(): void {
    for (const source of sources.value) {
      if (states.get(source.name)?.state !== "failed") continue
      stop(source.name)
      start(source)
    }
  }

  /** Lines before the first, of the only log that is shown. */
  async function loadEarlier(): Promise<void> {
    const [source] = sources.value
    const first = buffer.at(buffer.begin)
    if (!source || !first || sources.value.length > 1 || earlier.value === "loading") return
    earlier.value = "loading"
    const here = (reading = new AbortController())
    const newestRun = buffer.at(buffer.end - 1)?.run ?? first.run
    let since = pending.length
    for (const line of buffer) if (line.run === newestRun && line.kind !== "run") since += 1
    try {
      const found = await readEarlier(
        (query, signal) => openLog(source, query, signal),
        { cursor: first.cursor, beginsRun: isWhole.value, newestRun, since },
        EARLIER,
        here.signal,
      )
      if (here.signal.aborted || buffer.at(buffer.begin) !== first) {
        if (reading === here) earlier.value = "idle"
        return
      }
      show(source, found.lines, found.isFirst, first)
    } catch (error) {
      if (here.signal.aborted) return
      earlierError.value = error
      earlier.value = "failed"
    }
  }

  function show(source: LogSource, wire: WireLine[], isFirst: boolean, next: LogLine): void {
    const lines = new LineMaker(source.name).make(wire)
    const last = lines.at(-1)
    if (last) {
      if (last.run !== next.run && next.kind !== "run") lines.push(boundary(next))
      buffer.prepend(lines)
      isWhole.value = wire[0] !== undefined && beginsRun(wire[0])
      order.value += 1
      version.value += 1
    } else if (!isWhole.value && !isFirst) isWhole.value = true
    earlier.value = isFirst ? "first" : "idle"
  }

  function boundary(next: LogLine): LogLine {
    const [made] = new LineMaker(next.source).make(
      [{ cursor: next.cursor, run: next.run, time: next.time, text: "" }],
      next.run - 1,
    )
    return made ?? next
  }

  /** Whoever follows the end again needs no older lines. */
  function forgetEarlier(): void {
    const gone = buffer.forget()
    if (!gone) return
    earlier.value = "idle"
    isWhole.value = false
    version.value += 1
  }

  watch(isPaused, (paused) => !paused && flush())
  watch(
    sources,
    (wanted) => {
      const names = new Set(wanted.map(({ name }) => name))
      for (const name of [...running.keys()]) if (!names.has(name)) stop(name)
      for (const source of wanted) if (!running.has(source.name)) start(source)
    },
    { immediate: true },
  )
  watch(options.previous, restart)
  onScopeDispose(() => {
    stopAll()
    clearTimeout(timer)
  })

  return {
    buffer,
    states,
    version,
    order,
    arrived,
    dropped,
    isPaused,
    waiting,
    earlier,
    earlierError,
    retry,
    restart,
    loadEarlier,
    forgetEarlier,
  }
}

export type LogSession = ReturnType<typeof useLogSession>
