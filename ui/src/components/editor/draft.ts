/**
 * The document that is being edited. Its text is the truth: the form reads values from it and writes single fields into it.
 */

import { computed, inject, provide, ref, type ComputedRef, type InjectionKey, type Ref } from "vue"
import type { App, Node } from "@/lib/api/types"
import { parse, withItem, withMapping, withMoved, withValue, type Parsed } from "@/lib/editor/document"
import { samePath, startsWith, type Path } from "@/lib/editor/paths"
import type { Problem } from "@/lib/editor/problems"
import type { SchemaReader } from "@/lib/editor/schema"
import { at } from "@/lib/editor/values"

export interface Draft {
  text: Ref<string>
  parsed: ComputedRef<Parsed>
  /** What was written when it could last be read. */
  value: ComputedRef<unknown>
  isBroken: ComputedRef<boolean>
  /** All problems; those of fields that are only empty yet count after somebody tried to save. */
  problems: ComputedRef<Problem[]>
  missing: ComputedRef<Problem[]>
  isTried: Ref<boolean>
  read(path: Path): unknown
  write(path: Path, value: unknown): void
  writeMapping(path: Path, wanted: Readonly<Record<string, unknown>>): void
  add(path: Path, value: unknown, index?: number): void
  move(path: Path, from: number, to: number): void
  /** Of the field itself, or with `below` of everything in it too. */
  problemsAt(path: Path, below?: boolean): Problem[]
}

/** What the form offers. */
export interface Surroundings {
  apps: ComputedRef<readonly App[]>
  nodes: ComputedRef<readonly Node[]>
  /** Names of tasks that there are, by namespace. */
  taken: (namespace: string) => string[]
  namespaces: ComputedRef<readonly string[]>
  loaded: ComputedRef<boolean>
  schema: Readonly<Ref<SchemaReader | undefined>>
  /** A stored task keeps its name. */
  isStored: boolean
}

export function makeDraft(first: string, found: Ref<readonly Problem[]>): Draft {
  const text = ref(first)
  const isTried = ref(false)
  const parsed = computed(() => parse(text.value))
  const isBroken = computed(() => parsed.value.problems.length > 0)
  const value = computed<unknown>((before) => (isBroken.value ? before : parsed.value.value))
  const problems = computed(() => found.value.filter(({ missing }) => !missing || isTried.value))
  const change = (next: string) => {
    text.value = next
  }
  return {
    text,
    parsed,
    value,
    isBroken,
    problems,
    missing: computed(() => found.value.filter(({ missing }) => missing)),
    isTried,
    read: (path) => at(value.value, path),
    write: (path, wanted) => change(withValue(text.value, path, wanted)),
    writeMapping: (path, wanted) => change(withMapping(text.value, path, wanted)),
    add: (path, item, index) => change(withItem(text.value, path, item, index)),
    move: (path, from, to) => change(withMoved(text.value, path, from, to)),
    problemsAt: (path, below) =>
      problems.value.filter((one) => (below ? startsWith(one.path, path) : samePath(one.path, path))),
  }
}

const DRAFT: InjectionKey<Draft> = Symbol("draft")
const SURROUNDINGS: InjectionKey<Surroundings> = Symbol("surroundings")

export function provideDraft(draft: Draft, surroundings: Surroundings): void {
  provide(DRAFT, draft)
  provide(SURROUNDINGS, surroundings)
}

export function useDraft(): Draft {
  const draft = inject(DRAFT)
  if (!draft) throw new Error("fields of the form stand in an editor")
  return draft
}

export function useSurroundings(): Surroundings {
  const found = inject(SURROUNDINGS)
  if (!found) throw new Error("fields of the form stand in an editor")
  return found
}
