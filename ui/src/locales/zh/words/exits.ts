import type en from "../../en/words"

type Words = typeof en

export const exit: Words["exit"] = {
  clean: "以退出码 0 结束。",
  code: "以退出码 {code} 结束。",
  notExecutable: "以退出码 126 结束：启动命令存在，但不可执行。",
  notFound: "以退出码 127 结束：找不到启动命令。",
  aborted: "自行中止（{signal}，退出码 {code}）。",
  segfault: "因非法内存访问崩溃（{signal}，退出码 {code}）。",
  killed: "被强制终止（{signal}，退出码 {code}）。",
  terminated: "被外部要求结束（{signal}，退出码 {code}）。",
  signal: "被 {signal} 终止（退出码 {code}）。",
  unknown: "已结束，原因不明。",
  unhealthy: "因 {probe} 探针失败被停止：@:{seen}。",
  startFailed: "无法启动：{why}。",
}

export const again: Words["again"] = {
  clean: "反复以退出码 0 结束，而它本应持续运行。",
  code: "反复以退出码 {code} 结束。",
  notExecutable: "每次启动都以退出码 126 结束：启动命令存在，但不可执行。",
  notFound: "每次启动都以退出码 127 结束：找不到启动命令。",
  aborted: "反复自行中止（{signal}，退出码 {code}）。",
  segfault: "反复因非法内存访问崩溃（{signal}，退出码 {code}）。",
  killed: "反复被强制终止（{signal}，退出码 {code}）。",
  terminated: "反复被外部要求结束（{signal}，退出码 {code}）。",
  signal: "反复被 {signal} 终止（退出码 {code}）。",
  unknown: "反复结束，原因不明。",
  unhealthy: "因 {probe} 探针失败反复重启：@:{seen}。",
  startFailed: "无法启动：{why}。",
}

export const exitRemedy: Words["exitRemedy"] = {
  clean: "如果工作会自行结束，请将 restartPolicy 设为 OnFailure 或 Never；否则查看日志。",
  code: "查看上一次运行的日志。",
  notExecutable: "为启动命令加上可执行权限（chmod +x）并检查其首行，然后重新上传应用。",
  notFound: "检查启动命令：它在应用目录中运行，默认是 ./start.sh。",
  aborted: "查看上一次运行的日志，其中会说明程序为何中止。",
  segfault: "程序或其库有缺陷。查看上一次运行的日志。",
  killed: "有人或系统终止了它。若无人操作，请在机器日志中查看是否内存耗尽。",
  terminated: "信号来自 Plum 之外。请在节点上查找来源。",
  signal: "查看上一次运行的日志。",
  unknown: "查看其日志，以及该节点上代理的日志。",
  unhealthy: "确认应用在探针询问的位置及时响应，否则放宽探针的时间。",
  startFailed: "检查启动命令、相关文件和端口。",
}
