/** The objects, as the server sends them: generated from its OpenAPI documents, with what the server always fills in. */

import type { components as core } from "./core.gen"
import type { Plural } from "./kinds"
import type { components as plum } from "./plum.gen"

type PlumSchemas = plum["schemas"]
type CoreSchemas = core["schemas"]

export type ObjectMeta = PlumSchemas["ObjectMeta"] & {
  uid: string
  resourceVersion: string
  creationTimestamp: string
}

/** An object that the server has stored. */
export type Stored<T> = Omit<T, "metadata"> & { metadata: ObjectMeta }

export type Task = Stored<PlumSchemas["Task"]>
export type TaskSpec = PlumSchemas["TaskSpec"]
export type Entry = PlumSchemas["Entry"]
export type Assignment = Stored<PlumSchemas["Assignment"]>
export type Node = Stored<PlumSchemas["Node"]>
export type App = Stored<PlumSchemas["App"]>
export type Service = Stored<PlumSchemas["Service"]>
export type Endpoint = Stored<PlumSchemas["Endpoint"]>
export type PlumEvent = Stored<CoreSchemas["Event"]>
export type Namespace = Stored<CoreSchemas["Namespace"]>
export type Condition = PlumSchemas["Condition"]
export type Status = PlumSchemas["Status"]
export type UsageList = PlumSchemas["UsageList"]
export type InstanceUsage = PlumSchemas["UsageOfInstance"]
export type NodeUsage = PlumSchemas["UsageOfNode"]
export type History = PlumSchemas["HistoryList"]
export type HistoryItem = PlumSchemas["HistoryItem"]
export type Revisions = PlumSchemas["RevisionList"]
export type Revision = PlumSchemas["Revision"]

export interface ObjectOf extends Record<Plural, Stored<unknown>> {
  tasks: Task
  assignments: Assignment
  nodes: Node
  apps: App
  services: Service
  endpoints: Endpoint
  events: PlumEvent
  namespaces: Namespace
}
