/** Saving files of the person's own. */

/** What is at an address of this server, under that name. */
export function saveFrom(name: string, address: string): void {
  const link = document.createElement("a")
  link.href = address
  link.download = name
  link.click()
}

export function saveBlob(name: string, content: Blob): void {
  const address = URL.createObjectURL(content)
  saveFrom(name, address)
  // The browser has begun to read it when the click returns, but not always ended.
  setTimeout(() => URL.revokeObjectURL(address), 60_000)
}

export function saveFile(name: string, text: string, type = "text/plain"): void {
  saveBlob(name, new Blob([text], { type: `${type};charset=utf-8` }))
}
