import type { nodes as English } from "../en/nodes"

export const nodes: typeof English = {
  title: "节点",
  search: "搜索名称、地址、标签",
  state: "状态",
  columns: {
    name: "名称",
    state: "状态",
    address: "地址",
    instances: "实例",
    cpu: "CPU",
    memory: "内存",
    agent: "代理",
    age: "存在时间",
  },
  empty: {
    title: "还没有节点加入",
    text: "在机器上启动代理，节点就会加入：",
  },
}
