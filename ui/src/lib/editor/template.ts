/** The text that a new task begins with. Its comments are in the reader's language. */

export interface TemplateTexts {
  head: string
  command: string
  nodes: string
  more: string
}

export interface Preset {
  app?: string
  version?: string
  name?: string
  namespace?: string
}

const scalar = (text: string): string => (/^[a-z][\w.-]*$/i.test(text) ? text : JSON.stringify(text))

export function newTask(texts: TemplateTexts, preset: Preset = {}): string {
  const comment = (text: string, indent = "") =>
    text
      .split("\n")
      .map((line) => `${indent}# ${line}`)
      .join("\n")
  return `${comment(texts.head)}
apiVersion: plum.dev/v1
kind: Task
metadata:
  name: ${scalar(preset.name ?? "")}
${preset.namespace ? `  namespace: ${scalar(preset.namespace)}\n` : ""}spec:
  entries:
    - name: main
      app:
        name: ${scalar(preset.app ?? "")}
        version: ${scalar(preset.version ?? "")}
      replicas: 1
${comment(texts.command, "      ")}
      # startCmd: ./start.sh
${comment(texts.nodes, "      ")}
      # nodeReplicas: {nodeA: 1}
${comment(texts.more, "      ")}
      # env: [{name: LEVEL, value: info}]
      # ports: [{name: http}]
      # services: [{name: shop, port: http, protocol: http}]
`
}
