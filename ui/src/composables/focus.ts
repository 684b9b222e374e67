/** Where the focus goes when a dialog closes: back to what it was on before, or to the button of the menu it was in. */

let last: HTMLElement | undefined

document.addEventListener("focusin", ({ target }) => {
  if (!(target instanceof HTMLElement) || target.closest("[role='dialog']")) return
  // Of a menu nothing is left when its dialog closes but the button that opened it.
  const opener = target.closest("[role='menu']")?.getAttribute("aria-labelledby")
  last = (opener && document.getElementById(opener)) || target
})

/** Call it when a dialog has closed: who uses the keyboard would have to begin at the top of the page. */
export function returnFocus(): void {
  const { activeElement: here, body } = document
  // What is in a dialog that has just closed loses the focus a moment later.
  if (!here || here === body || here.closest("[role='dialog']")) last?.focus()
}
