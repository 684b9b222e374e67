export const nodes = {
  title: "Nodes",
  search: "Search names, addresses, labels",
  state: "State",
  columns: {
    name: "Name",
    state: "State",
    address: "Address",
    instances: "Instances",
    cpu: "CPU",
    memory: "Memory",
    agent: "Agent",
    age: "Age",
  },
  empty: {
    title: "No node has joined yet",
    text: "A node joins when its agent starts. Run this on the machine:",
  },
}
