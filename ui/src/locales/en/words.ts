import { event, eventDetail, condition } from "./words/events"
import { exit, again, exitRemedy } from "./words/exits"
import { failureTitle, failure, inUse, failureRemedy, fault } from "./words/failures"
import { reason, remedy, detail, seen } from "./words/reasons"

/** The state of an instance, in a word or two. */
const state = {
  running: "Running",
  completed: "Completed",
  restarted: "Restarted",
  notReady: "Not ready",
  crashLoop: "Crash loop",
  failed: "Failed",
  ended: "Ended",
  cannotPrepare: "Cannot prepare",
  cannotPlace: "Cannot be placed",
  agentStopped: "Agent stopped",
  nodeLost: "Node lost",
  unknown: "Unknown",
  pending: "Pending",
  waiting: "Waiting",
  preparing: "Preparing",
  starting: "Starting",
  stopping: "Stopping",
  stopped: "Stopped",
}

const task = {
  healthy: "Healthy",
  completed: "Completed",
  degraded: "Degraded",
  down: "Down",
  cannotPlace: "Cannot be placed",
  appMissing: "App missing",
  lost: "Out of contact",
  rollingOut: "Rolling out",
  scaling: "Scaling up",
  starting: "Starting",
  stopping: "Stopping",
  deleting: "Deleting",
  stopped: "Stopped",
  empty: "Scaled to zero",
}

const segment = {
  ready: "{count} ready",
  preparing: "{count} on the way",
  warn: "{count} not ready",
  bad: "{count} failing",
  unknown: "{count} out of contact",
  stopped: "{count} stopped",
  missing: "{count} missing",
}

const node = {
  ready: "Ready",
  cordoned: "Cordoned",
  draining: "Draining",
  stopped: "Agent stopped",
  joining: "Joining",
  lost: "Lost",
  deleting: "Deleting",
}

const service = {
  ready: "Healthy",
  partial: "Partly healthy",
  down: "Down",
  empty: "No endpoints",
}

const serviceSays = {
  ready: "Its endpoint is healthy. | All of its {count} endpoints are healthy.",
  partial: "{ready} of {count} endpoints are healthy.",
  down: "Its only endpoint is not healthy. | None of its {count} endpoints is healthy.",
  empty: "No instance answers under this name.",
}

const serviceRemedy = {
  unhealthy: "See the endpoints' reasons, and the instances behind them.",
  selector: "Check that its selector matches the labels of running instances, and that they have its ports.",
  derived: "Start a task whose entry offers this service.",
}

const endpoint = {
  healthy: "Healthy",
  unhealthy: "Not healthy",
}

const fleet = {
  down: "{count} task is down | {count} tasks are down",
  cannotPlace: "{count} task cannot be placed | {count} tasks cannot be placed",
  degraded: "{count} task is degraded | {count} tasks are degraded",
  lostNodes: "{count} node is lost | {count} nodes are lost",
  busy: "{count} task is on its way | {count} tasks are on their way",
  well: "Everything runs",
  noTasks: "Nothing to run yet",
  noNodes: "No nodes yet",
}

export default {
  join: ", ",
  more: "and {count} more",
  reason,
  remedy,
  detail,
  seen,
  exit,
  again,
  exitRemedy,
  event,
  eventDetail,
  state,
  task,
  segment,
  node,
  service,
  serviceSays,
  serviceRemedy,
  endpoint,
  fleet,
  condition,
  failureTitle,
  failure,
  inUse,
  failureRemedy,
  fault,
}
