/**
 * What a probe saw, as a phrase for other sentences. Those link to it by `seen`: the parameter names the message of
 * the phrase, which takes its own parameters from the same ones.
 */

const FORMS: readonly (readonly [string, RegExp])[] = [
  ["answered", /^GET (?<target>\S+): answered (?<code>\d+)$/],
  ["refused", /^(?:GET|connect to) (?<target>\S+): connection refused$/],
  ["silent", /^(?:GET|connect to) (?<target>\S+): no answer within (?<seconds>[\d.]+) s$/],
  ["slow", /^exec (?<target>.+): did not end within (?<seconds>[\d.]+) s(?:: .*)?$/s],
  ["commandSaid", /^exec (?<target>.+?): exited with code (?<code>\d+): (?<line>.+)$/s],
  ["command", /^exec (?<target>.+): exited with code (?<code>\d+)$/s],
]

export const SEEN = [...FORMS.map(([name]) => name), "other"]

/** The parameters for a sentence with `seen` in it. What is worded otherwise is said as it is. */
export function seenParams(text: string): Record<string, string> {
  for (const [name, form] of FORMS) {
    const found = form.exec(text)?.groups
    if (found) return { seen: `words.seen.${name}`, ...found }
  }
  return { seen: "words.seen.other", text: text.replace(/[.\s]+$/, "") }
}
