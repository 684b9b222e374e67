/** Annotations that mean something to the server. */

/** A new value of it on a task rolls the task, on an assignment it restarts the process in place. */
export const RESTARTED_AT = "plum.dev/restartedAt"

/** Says the real name of a Service whose name cannot be an object's. */
export const SERVICE_NAME = "plum.dev/name"
