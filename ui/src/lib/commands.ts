/** Commands that pages offer for copying. */

import { DEFAULT_NAMESPACE } from "./addresses"

const POSSIBLE = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/

/**
 * What became of an object. None where nothing can be called so: names come from addresses, which anybody may have
 * written, and what is copied from here is run in somebody's shell.
 */
export function historyCommand(
  kind: string,
  name: string,
  namespace = DEFAULT_NAMESPACE,
): string | undefined {
  if (!POSSIBLE.test(name) || !POSSIBLE.test(namespace)) return undefined
  return `plumctl history ${kind}/${name}${namespace === DEFAULT_NAMESPACE ? "" : ` -n ${namespace}`}`
}
