import { createApp } from "vue"
import App from "./App.vue"
import { i18n, startTexts } from "./i18n"
import { startLive } from "./lib/live/store"
import { startPreferences } from "./lib/preferences"
import { keep, kept } from "./lib/storage"
import { router } from "./router"
import "element-plus/theme-chalk/dark/css-vars.css"
import "./styles/tokens.css"
import "./styles/base.css"
import "./styles/element.css"

// After an upgrade of the server, parts that this page would load later are gone: the page is loaded anew, once.
const RELOADED = "plum.reloaded"
window.addEventListener("vite:preloadError", (event) => {
  if (Date.now() - Number(kept("tab", RELOADED)) < 30_000) return
  event.preventDefault()
  keep("tab", RELOADED, String(Date.now()))
  window.location.reload()
})

startPreferences()
startLive()
await startTexts()
createApp(App).use(i18n).use(router).mount("#app")
