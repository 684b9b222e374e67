/** What the server says of itself and of who asks; asked once when it is looked at. */

import { onMounted, shallowRef, watch } from "vue"
import { json } from "@/lib/api/client"
import { token } from "@/lib/api/session"
import { questions } from "@/lib/newest"

export interface ServerVersion {
  gitVersion: string
  platform: string
  compiler: string
}

export interface Who {
  username: string
  groups: string[]
}

interface SelfSubjectReview {
  status: { userInfo: { username: string; groups?: string[] } }
}

/** Both are undefined until they are known; `error` is why they are not. */
export function useServer() {
  const version = shallowRef<ServerVersion>()
  const who = shallowRef<Who>()
  const error = shallowRef<unknown>()
  const begin = questions()

  async function ask(): Promise<void> {
    const isNewest = begin()
    error.value = undefined
    try {
      const review = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" }
      const [told, self] = await Promise.all([
        json<ServerVersion>("/version"),
        json<SelfSubjectReview>("/apis/authentication.k8s.io/v1/selfsubjectreviews", {
          method: "POST",
          body: review,
        }),
      ])
      // Somebody else may have signed in meanwhile.
      if (!isNewest()) return
      version.value = told
      who.value = { username: self.status.userInfo.username, groups: self.status.userInfo.groups ?? [] }
    } catch (caught) {
      if (isNewest()) error.value = caught
    }
  }

  onMounted(() => void ask())
  watch(token, (text) => text && void ask())
  return { version, who, error }
}
