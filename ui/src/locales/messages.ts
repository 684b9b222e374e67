import type english from "./en"

/** All texts; each language has every one of them, or it does not compile. */
export type Messages = typeof english
