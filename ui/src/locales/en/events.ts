export const events = {
  title: "events",
}
