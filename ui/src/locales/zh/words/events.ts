import type en from "../../en/words"

type Words = typeof en

export const event: Words["event"] = {
  Started: "进程已启动。",
  Killing: "已要求进程结束。",
  Unhealthy: "探针失败。",
  Exited: "进程正常结束。",
  Failed: "进程失败。",
  BackOff: "过一会儿再启动。",
  MetaUnreadable: "应用的 meta.ini 无法读取，其内容不生效。",
  Created: "已创建实例。",
  Deleted: "已删除实例。",
  NodeReady: "节点就绪。",
  NodeNotReady: "节点不再就绪。",
}

export const eventDetail: Words["eventDetail"] = {
  Started: "进程已在 {node} 上启动。",
  Killing: "已用 SIG{signal} 要求进程在 {seconds} 秒内结束。",
  Unhealthy: "{probe} 探针失败：@:{seen}。",
  BackOff: "{seconds} 秒后再次启动。",
  Created: "已创建 {count} 个实例。",
  Deleted: "已删除 {count} 个实例。",
}

export const condition: Words["condition"] = {
  Available: { true: "可用", false: "不可用", unknown: "可用性未知" },
  Progressing: { true: "已更新或更新中", false: "受阻", unknown: "进度未知" },
  Placed: { true: "已调度", false: "未调度", unknown: "调度情况未知" },
  Prepared: { true: "已准备", false: "未准备好", unknown: "准备情况未知" },
  Ready: { true: "就绪", false: "未就绪", unknown: "就绪情况未知" },
  DependenciesReady: { true: "依赖已就绪", false: "等待依赖", unknown: "依赖情况未知" },
  Reported: { true: "上报为健康", false: "上报为不健康", unknown: "未上报" },
  Draining: { true: "排空中", false: "未在排空", unknown: "排空情况未知" },
  NamespaceContentRemaining: { true: "仍有内容", false: "内容已清空", unknown: "内容未知" },
  NamespaceFinalizersRemaining: {
    true: "仍有 finalizer",
    false: "没有 finalizer 了",
    unknown: "finalizer 情况未知",
  },
  NamespaceDeletionContentFailure: { true: "删除失败", false: "删除正常", unknown: "删除情况未知" },
  other: { true: "{type}：是", false: "{type}：否", unknown: "{type}：未知" },
}
