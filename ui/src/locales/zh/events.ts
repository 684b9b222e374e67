import type { events as English } from "../en/events"

export const events: typeof English = {
  title: "事件",
  search: "搜索对象、消息",
  type: "类型",
  warnings: "警告",
  normal: "普通",
  reason: "原因",
  kind: "对象类型",
  namespace: "命名空间",
  columns: {
    what: "发生了什么",
    object: "对象",
    count: "次数",
    first: "首次",
    last: "最近",
  },
  kinds: {
    Task: "任务",
    Assignment: "实例",
    Node: "节点",
    App: "应用",
    Service: "服务",
    Endpoint: "端点",
    Namespace: "命名空间",
    Pod: "实例",
  },
  pause: "暂停刷新",
  resume: "继续",
  newer: "继续（{n} 条新事件）",
  held: "列表已暂停，新事件稍后显示。",
  expiry: "事件在最近一次发生后保留一小时。",
  empty: {
    title: "最近一小时没有事件",
    text: "事件记录发生过的事：启动、结束、探针失败、节点的加入与离开。命令行：",
  },
  none: "最近一小时没有事件。",
  details: {
    title: "事件",
    said: "原文",
    reporter: "上报者",
  },
}
