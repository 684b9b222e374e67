export const apps = {
  title: "apps",
}
