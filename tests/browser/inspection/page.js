/** Looks at the text of the page as it stands: returns what is wrong, by kind. */
(options) => {
  const found = { cut: [], shortened: [], overflows: [], wraps: [], overlaps: [], untranslated: [], keys: [], sideways: [] }
  const add = (kind, text) => {
    const line = text.replace(/\s+/g, " ").trim().slice(0, 160)
    if (!found[kind].includes(line) && found[kind].length < 40) found[kind].push(line)
  }
  const describe = (element) => {
    const where = []
    for (let at = element; at && at !== document.body && where.length < 3; at = at.parentElement) {
      const names = typeof at.className === "string" ? at.className.split(/\s+/).filter(Boolean).slice(0, 2) : []
      where.unshift(at.tagName.toLowerCase() + names.map((name) => `.${name}`).join(""))
    }
    return where.join(" > ")
  }

  /** Texts that can be seen in the window, each with its boxes. */
  const texts = []
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const words = node.textContent.trim()
    const parent = node.parentElement
    if (!words || !parent || parent.closest("script, style, noscript, [aria-hidden='true'] svg")) continue
    const style = getComputedStyle(parent)
    // Also what a closed <details> holds has boxes.
    if (!parent.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue
    const range = document.createRange()
    range.selectNodeContents(node)
    const boxes = [...range.getClientRects()].filter((box) => box.width > 0.5 && box.height > 0.5)
    if (!boxes.length) continue
    // Text for screen readers alone is a pixel in size.
    if (parent.getBoundingClientRect().width <= 1 && style.position === "absolute") continue
    texts.push({ node, parent, words, boxes, style })
  }

  const inWindow = (box) =>
    box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth

  /** Cut off by an ancestor, or out of its own block. */
  for (const { parent, words, boxes } of texts) {
    if (parent.closest("[data-may-be-cut], .cm-editor, textarea, input")) continue
    let right = Math.max(...boxes.map((box) => box.right))
    let bottom = Math.max(...boxes.map((box) => box.bottom))
    let left = Math.min(...boxes.map((box) => box.left))
    for (let at = parent; at && at !== document.documentElement; at = at.parentElement) {
      const style = getComputedStyle(at)
      const box = at.getBoundingClientRect()
      if (style.display === "inline" || style.display === "contents") continue
      const scrolls = /auto|scroll/.test(style.overflowX + style.overflowY)
      // All of it can be reached: what counts from here on is whether what scrolls is whole.
      if (scrolls) {
        left = box.left
        right = box.right
        bottom = -Infinity
        continue
      }
      const shortens = style.textOverflow === "ellipsis"
      const clips = /hidden|clip/.test(style.overflowX)
      if (clips && (right > box.right + 1.5 || left < box.left - 1.5)) {
        add(shortens ? "shortened" : "cut", `"${words}" by ${describe(at)}`)
        break
      }
      if (/hidden|clip/.test(style.overflowY) && bottom > box.bottom + 3 && box.height > 0) {
        add("cut", `"${words}" below, by ${describe(at)}`)
        break
      }
      if (at === parent && !clips && right > box.right + 2 && style.overflowX === "visible") {
        add("overflows", `"${words}" out of ${describe(at)}`)
      }
      if (style.position === "fixed") break
    }
  }

  /** Identifiers in more than one line. */
  const identifier = /^[a-z0-9][a-z0-9.]*(-[a-z0-9.]+){2,}$|^sha256|^\d{4}-\d\d-\d\d|^[0-9a-f]{12,}$/
  for (const { parent, words, boxes } of texts) {
    const lines = new Set(boxes.map((box) => Math.round(box.top / 4))).size
    if (lines > 1 && identifier.test(words) && !parent.closest("pre, [data-may-wrap], .cm-editor")) {
      add("wraps", `"${words}" in ${describe(parent)}`)
    }
    if (lines > 1 && !parent.closest("[data-may-wrap]") && parent.closest("button, [role=tab], th, [role=columnheader], [role=menuitem], nav a")) {
      add("wraps", `"${words}" in ${describe(parent)}`)
    }
  }

  /** What is left of a box where ancestors cut it off. */
  const clipped = (box, parent) => {
    let { left, right, top, bottom } = box
    for (let at = parent; at && at !== document.documentElement; at = at.parentElement) {
      const style = getComputedStyle(at)
      if (!/hidden|clip|auto|scroll/.test(style.overflowX + style.overflowY)) continue
      const edge = at.getBoundingClientRect()
      left = Math.max(left, edge.left)
      right = Math.min(right, edge.right)
      top = Math.max(top, edge.top)
      bottom = Math.min(bottom, edge.bottom)
    }
    return { left, right, top, bottom, width: right - left, height: bottom - top }
  }

  /** Texts on top of one another; what is covered by something else is not seen, and does not count. */
  const seen = []
  for (const text of texts) {
    for (const box of text.boxes.map((one) => clipped(one, text.parent)).filter(inWindow)) {
      if (box.width < 1 || box.height < 1) continue
      const hit = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2)
      if (hit && (hit === text.parent || text.parent.contains(hit) || hit.contains(text.parent))) {
        seen.push({ ...text, box })
      }
    }
  }
  seen.sort((one, other) => one.box.top - other.box.top)
  for (let i = 0; i < seen.length; i++) {
    for (let j = i + 1; j < seen.length && seen[j].box.top < seen[i].box.bottom; j++) {
      const [one, other] = [seen[i], seen[j]]
      if (one.node === other.node) continue
      const wide = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left)
      const high = Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top)
      // Boxes of text are as high as its font, and a little more than the letters.
      if (wide > 2 && high > Math.min(one.box.height, other.box.height) * 0.45) {
        if (one.parent.closest(".cm-editor, pre") && other.parent.closest(".cm-editor, pre")) continue
        add("overlaps", `"${one.words.slice(0, 60)}" and "${other.words.slice(0, 60)}" in ${describe(other.parent)}`)
      }
    }
  }

  /** Words that nobody has translated, and keys of translations. */
  const known = new Set(options.known)
  const areas = new Set(options.areas)
  /** Addresses, paths, names of users and of fields are the same in every language. */
  const foreign = (text) =>
    text
      .replace(/\b(plumctl|kubectl)( [a-z-]+)+|\b\w+=/g, " ")
      .replace(/\w+:\/\/\S+|(?<![\w<])\/\S+|\b\w+:\w\S*|\bSIG[A-Z]+\b|\b[a-z]+[A-Z]\w*\b/g, " ")
      .split(/[\s,;:()（），。；：、“”"'·/|=…<>]+/)
      .filter((word) => /[A-Za-z]{2,}/.test(word) && !/[\d_.\-/@[\]{}]/.test(word) && !known.has(word))
  for (const { parent, words } of texts) {
    if (/^[a-z][A-Za-z0-9]*(\.[A-Za-z][A-Za-z0-9]*)+$/.test(words) && areas.has(words.split(".")[0])) add("keys", words)
    if (/\{[a-zA-Z]+\}/.test(words) && !parent.closest("pre, code, .cm-editor")) add("keys", words)
    if (!options.chinese) continue
    if (parent.closest("[translate=no], [lang=en], code, pre, kbd, samp, .mono, .cm-editor, textarea, input")) continue
    const rest = foreign(words)
    if (rest.length) add("untranslated", `${rest.join(" ")} (in "${words.slice(0, 90)}")`)
  }
  for (const element of options.chinese ? document.querySelectorAll("[aria-label], [title], [placeholder]") : []) {
    for (const name of ["aria-label", "title", "placeholder"]) {
      const words = element.getAttribute(name) ?? ""
      if (!/[A-Za-z]{2,}/.test(words) || /[\u4e00-\u9fff]/.test(words)) continue
      if (element.closest("[translate=no], [lang=en], code, pre, .mono, .cm-editor")) continue
      // The server's own sentence, as the detail of what stands there in words.
      if (name === "title" && /[\u4e00-\u9fff]/.test(element.textContent)) continue
      const rest = foreign(words)
      if (rest.length) add("untranslated", `${name}="${words}" in ${describe(element)}`)
    }
  }

  const page = document.scrollingElement
  if (page.scrollWidth > page.clientWidth + 1) add("sideways", `the page is ${page.scrollWidth} wide in ${page.clientWidth}`)
  return found
}
