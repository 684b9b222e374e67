import type { services as English } from "../en/services"

export const services: typeof English = {
  title: "services",
}
