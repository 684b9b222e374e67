/**
 * Addresses of pages; those of the original's UI among them. A list and the details of its kind are pages of their
 * own, each loaded when it is gone to.
 */

import { createRouter, createWebHistory, type RouteRecordRaw } from "vue-router"

const routes: RouteRecordRaw[] = [
  { path: "/", component: () => import("./views/overview/Overview.vue"), meta: { whole: true } },
  { path: "/overview", redirect: "/" },
  { path: "/tasks", component: () => import("./views/tasks/List.vue") },
  { path: "/tasks/create", component: () => import("./views/editor/Create.vue"), meta: { whole: true } },
  {
    path: "/tasks/:id",
    component: () => import("./views/tasks/Details.vue"),
    props: true,
    meta: { whole: true },
  },
  {
    path: "/tasks/:id/edit",
    component: () => import("./views/editor/Edit.vue"),
    props: true,
    meta: { whole: true },
  },
  { path: "/assignments", component: () => import("./views/assignments/List.vue") },
  {
    path: "/assignments/:id",
    component: () => import("./views/assignments/Details.vue"),
    props: true,
    meta: { whole: true },
  },
  { path: "/nodes", component: () => import("./views/nodes/List.vue") },
  {
    path: "/nodes/:name",
    component: () => import("./views/nodes/Details.vue"),
    props: true,
    meta: { whole: true },
  },
  { path: "/apps", component: () => import("./views/apps/List.vue") },
  {
    path: "/apps/:name",
    component: () => import("./views/apps/Details.vue"),
    props: true,
    meta: { whole: true },
  },
  { path: "/services", component: () => import("./views/services/List.vue") },
  {
    path: "/services/:id",
    component: () => import("./views/services/Details.vue"),
    props: true,
    meta: { whole: true },
  },
  { path: "/events", component: () => import("./views/events/List.vue") },
  { path: "/settings", component: () => import("./views/settings/Settings.vue") },
  { path: "/:rest(.*)*", component: () => import("./views/NotFound.vue") },
]

export const router = createRouter({ history: createWebHistory(), routes })
