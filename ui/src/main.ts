import { createApp } from "vue"
import App from "./App.vue"
import { i18n, startTexts } from "./i18n"
import { startLive } from "./lib/live/store"
import { startPreferences } from "./lib/preferences"
import { router } from "./router"
import "element-plus/theme-chalk/dark/css-vars.css"
import "./styles/tokens.css"
import "./styles/base.css"
import "./styles/element.css"

startPreferences()
startLive()
await startTexts()
createApp(App).use(i18n).use(router).mount("#app")
