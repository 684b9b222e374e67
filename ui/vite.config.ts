import vue from "@vitejs/plugin-vue"
import elementPlus from "unplugin-element-plus/vite"
import { fileURLToPath, URL } from "node:url"
import type { ProxyOptions } from "vite"
import { defineConfig } from "vitest/config"

/** Where the API is while developing; the built UI is served by the API server itself. */
const api = process.env["VITE_API_BASE"] ?? "http://127.0.0.1:8080"
const apiPaths = [
  "/api",
  "/v1",
  "/artifacts",
  "/openapi",
  "/swagger",
  "/version",
  "/healthz",
  "/readyz",
  "/metrics",
]

/** Hands requests on as if the API's own page had sent them, whatever port this development server has. What pages of
 * other origins send keeps its origin, and is refused. */
const proxied: ProxyOptions = {
  target: api,
  changeOrigin: true,
  configure: (proxy) => {
    proxy.on("proxyReq", (sent, { headers: { host, origin } }) => {
      if (host && origin === `http://${host}`) sent.setHeader("origin", new URL(api).origin)
    })
    // A quiet watch has no body for a while: the browser is to know at once that it was taken.
    proxy.on("proxyRes", (_, __, response) => {
      setImmediate(() => response.headersSent || response.writableEnded || response.flushHeaders())
    })
  },
}

export default defineConfig({
  // Styles of an Element Plus component come with its import.
  plugins: [vue(), elementPlus({})],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  cacheDir: ".vite",
  build: {
    outDir: "../apiserver/server/ui",
    emptyOutDir: true,
    target: "es2022",
    // A module preload polyfill would be an inline script, which the Content-Security-Policy forbids.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
  worker: { format: "es" },
  server: {
    port: 5173,
    strictPort: true,
    proxy: Object.fromEntries(apiPaths.map((path) => [path, proxied])),
  },
  // The cores are pure: nothing of one file is in the way of the next, and loading all anew for each takes five times as
  // long.
  test: { include: ["src/**/*.test.ts"], environment: "node", pool: "threads", isolate: false },
})
