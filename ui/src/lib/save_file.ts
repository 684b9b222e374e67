/** Save a text as a file of the person's own, under that name. */
export function saveFile(name: string, text: string, type = "text/plain"): void {
  const address = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }))
  const link = document.createElement("a")
  link.href = address
  link.download = name
  link.click()
  // The browser has begun to read it when the click returns, but not always ended.
  setTimeout(() => URL.revokeObjectURL(address), 60_000)
}
