/**
 * For answers that may come in another order than they were asked for. Call what it returns with each question; that
 * gives what tells, when the answer is there, whether the question is still the newest.
 */
export function questions(): () => () => boolean {
  let newest = 0
  return () => {
    const own = (newest += 1)
    return () => own === newest
  }
}
