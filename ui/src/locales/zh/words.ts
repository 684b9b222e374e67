import type en from "../en/words"
import { event, eventDetail, condition } from "./words/events"
import { exit, again, exitRemedy } from "./words/exits"
import { failureTitle, failure, inUse, failureRemedy, fault } from "./words/failures"
import { reason, remedy, detail, seen } from "./words/reasons"

type Words = typeof en

const state: Words["state"] = {
  running: "运行中",
  completed: "已完成",
  restarted: "重启过",
  notReady: "未就绪",
  crashLoop: "反复崩溃",
  failed: "失败",
  ended: "已退出",
  cannotPrepare: "无法准备",
  cannotPlace: "无法调度",
  agentStopped: "代理已停止",
  nodeLost: "节点失联",
  unknown: "未知",
  pending: "等待中",
  waiting: "等待其他实例",
  preparing: "准备中",
  starting: "启动中",
  stopping: "停止中",
  stopped: "已停止",
}

const task: Words["task"] = {
  healthy: "健康",
  completed: "已完成",
  degraded: "部分异常",
  down: "不可用",
  cannotPlace: "无法调度",
  appMissing: "缺少应用",
  lost: "失去联系",
  rollingOut: "发布中",
  scaling: "扩容中",
  starting: "启动中",
  stopping: "停止中",
  deleting: "删除中",
  stopped: "已停止",
  empty: "副本数为零",
}

const segment: Words["segment"] = {
  ready: "{count} 个就绪",
  preparing: "{count} 个准备中",
  warn: "{count} 个未就绪",
  bad: "{count} 个异常",
  unknown: "{count} 个失联",
  stopped: "{count} 个已停止",
  missing: "缺 {count} 个",
}

const node: Words["node"] = {
  ready: "就绪",
  cordoned: "停止调度",
  draining: "排空中",
  stopped: "代理已停止",
  joining: "加入中",
  lost: "失联",
  deleting: "删除中",
}

const service: Words["service"] = {
  ready: "健康",
  partial: "部分健康",
  down: "不可用",
  empty: "无端点",
}

const serviceSays: Words["serviceSays"] = {
  ready: "{count} 个端点全部健康。",
  partial: "{count} 个端点中有 {ready} 个健康。",
  down: "{count} 个端点中没有健康的。",
  empty: "没有实例以此名称提供服务。",
}

const serviceRemedy: Words["serviceRemedy"] = {
  unhealthy: "查看各端点的原因，以及其背后的实例。",
  selector: "确认选择器与运行中实例的标签匹配，且实例具有相应端口。",
  derived: "启动一个提供此服务的任务。",
}

const endpoint: Words["endpoint"] = {
  healthy: "健康",
  unhealthy: "不健康",
}

const fleet: Words["fleet"] = {
  down: "{count} 个任务不可用",
  cannotPlace: "{count} 个任务无法调度",
  degraded: "{count} 个任务部分异常",
  lostNodes: "{count} 个节点失联",
  busy: "{count} 个任务正在变更",
  well: "一切正常",
  noTasks: "还没有任务",
  noNodes: "还没有节点",
}

const words: Words = {
  join: "，",
  more: "另有 {count} 个",
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

export default words
