/**
 * Addresses of pages. An object of the namespace `default` is named by its name alone, others as `namespace.name`,
 * as /v1 names instances: neither names of namespaces nor of tasks and assignments hold a dot.
 */

export const DEFAULT_NAMESPACE = "default"

export interface Reference {
  namespace: string
  name: string
}

export function idOf(name: string, namespace: string | undefined): string {
  return !namespace || namespace === DEFAULT_NAMESPACE ? name : `${namespace}.${name}`
}

export function referenceOf(id: string): Reference {
  const dot = id.indexOf(".")
  return dot < 0
    ? { namespace: DEFAULT_NAMESPACE, name: id }
    : { namespace: id.slice(0, dot), name: id.slice(dot + 1) }
}

/** Kinds of which each object has a page. */
export type PageKind = "Task" | "Assignment" | "Pod" | "Node" | "Service"

/** The page of an object by its kind as objects say it (`Task`); undefined for kinds that have no page. */
export function pageOf(kind: PageKind, name: string, namespace?: string): string
export function pageOf(kind: string, name: string, namespace?: string): string | undefined
export function pageOf(kind: string, name: string, namespace?: string): string | undefined {
  const id = encodeURIComponent(idOf(name, namespace))
  switch (kind) {
    case "Task":
      return `/tasks/${id}`
    case "Assignment":
    case "Pod":
      return `/assignments/${id}`
    case "Node":
      return `/nodes/${encodeURIComponent(name)}`
    case "Service":
      return `/services/${id}`
    default:
      return undefined
  }
}

/** The page of an app, all of whose versions stand on it. */
export function pageOfApp(appName: string): string {
  return `/apps/${encodeURIComponent(appName)}`
}

/** Where a task for an app is made. */
export function newTaskPage(app: string, version: string, namespace: string) {
  const where = namespace === DEFAULT_NAMESPACE ? {} : { namespace }
  return { path: "/tasks/create", query: { app, version, ...where } }
}
