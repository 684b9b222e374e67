export const services = {
  title: "services",
}
