/**
 * Texts that the browser keeps: for a tab, or until they are forgotten. It may forbid that, or have no room left: then
 * they hold as long as the page does.
 */

const STORES = { tab: () => sessionStorage, browser: () => localStorage }

export type Place = keyof typeof STORES

export function kept(place: Place, key: string): string | null {
  try {
    return STORES[place]().getItem(key)
  } catch {
    return null
  }
}

export function keep(place: Place, key: string, text: string): void {
  try {
    STORES[place]().setItem(key, text)
  } catch {
    // see above
  }
}

export function forget(place: Place, key: string): void {
  try {
    STORES[place]().removeItem(key)
  } catch {
    // there was nothing to forget
  }
}
