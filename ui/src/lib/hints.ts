/** What is said about a thing that the pointer rests on: a name that is cut, in whole; the exact time of a relative
 * one. Things say by `data-hint` what they are; for `<time>` its `datetime` does. */

import { exactTime } from "@/lib/words/times"

/** Nothing when all of it is read already. */
export function hintOf(element: HTMLElement): string {
  if (element.dataset["hint"] === undefined) return exactTime(element.getAttribute("datetime"))
  const text = element.dataset["hint"]
  return text === element.textContent.trim() && !isCut(element) ? "" : text
}

/** Whether the element, or a part of it, is wider than it is drawn. */
function isCut(element: Element): boolean {
  return [element, ...element.children].some(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)
}
