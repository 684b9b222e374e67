"""What a request may say beside its body, by verb."""

from typing import Any

Json = dict[str, Any]


def path(name: str, text: str) -> Json:
    """A part of the path."""
    return {"name": name, "in": "path", "required": True, "description": text, "schema": {"type": "string"}}


def query(name: str, text: str, type: str = "string", **more: Any) -> Json:
    """A parameter of the query; ``more`` goes into its schema."""
    return {"name": name, "in": "query", "description": text, "schema": {"type": type} | more}


NAMESPACE = path("namespace", "The namespace of the object.")
NAME = path("name", "The name of the object.")

LABEL_SELECTOR = query("labelSelector", "Only objects with such labels, for example `app=web,tier in (a,b),!old`.")
FIELD_SELECTOR = query("fieldSelector", "Only objects with such fields, for example `metadata.name=web`.")
LIMIT = query("limit", "How many objects at most; `metadata.continue` leads to the others.", "integer", minimum=0)
CONTINUE = query("continue", "The `metadata.continue` of the page before.")
VERSION = query("resourceVersion", "A state not older than this version; with `resourceVersionMatch=Exact` that state.")
MATCH = query(
    "resourceVersionMatch", "How `resourceVersion` is meant; NotOlderThan if absent.", enum=["NotOlderThan", "Exact"]
)
AT = query("at", "The object as it was at this time (RFC 3339).", format="date-time")
WATCH = query(
    "watch",
    "true: changes from `resourceVersion` on as they happen, a WatchEvent a line. poll: the next changes as one "
    "WatchEventBatch, after `timeoutSeconds` an empty one.",
    enum=["true", "false", "1", "0", "poll"],
)
TIMEOUT = query("timeoutSeconds", "How long a watch lasts, or a poll waits.", "integer", minimum=0)
BOOKMARKS = query(
    "allowWatchBookmarks", "Whether the watch says from time to time which version it has reached.", "boolean"
)
INITIAL = query(
    "sendInitialEvents",
    "Whether a watch begins with what there is, as ADDED, and a bookmark after it; needs "
    "`resourceVersionMatch=NotOlderThan`.",
    "boolean",
)
DRY_RUN = query("dryRun", "All: check everything, change nothing, answer as if it had been done.", enum=["All"])
FIELD_MANAGER = query(
    "fieldManager", "In whose name the fields are written; by default the program's name.", maxLength=128
)
FIELD_VALIDATION = query(
    "fieldValidation",
    "What unknown and repeated fields are: an error (Strict), a warning (Warn, the default), nothing (Ignore).",
    enum=["Strict", "Warn", "Ignore"],
)
FORCE = query("force", "For server-side apply: take fields over that other managers own.", "boolean")
PROPAGATION = query(
    "propagationPolicy", "What becomes of the objects that this one owns.", enum=["Background", "Foreground", "Orphan"]
)
GRACE = query("gracePeriodSeconds", "Taken and not obeyed.", "integer", minimum=0)
FENCE: Json = {
    "name": "Plum-Fence",
    "in": "header",
    "description": "`<namespace>/<lease>/<token>`: refuse the write if that leadership has been superseded.",
    "schema": {"type": "string"},
}

READ = (VERSION, MATCH, AT)
LIST = (LABEL_SELECTOR, FIELD_SELECTOR, LIMIT, CONTINUE, VERSION, MATCH, WATCH, TIMEOUT, BOOKMARKS, INITIAL)
WRITE = (DRY_RUN, FIELD_MANAGER, FIELD_VALIDATION, FENCE)
PATCH = (*WRITE, FORCE)
DELETE = (DRY_RUN, GRACE, PROPAGATION, FENCE)
DELETE_COLLECTION = (LABEL_SELECTOR, FIELD_SELECTOR, *DELETE)
HISTORY = (
    query("limit", "How many changes at most.", "integer", minimum=0, maximum=100, default=20),
    CONTINUE,
)
WATCH_SEVERAL = (
    query("resources", "The kinds to watch by their plurals, for example `tasks,assignments`.") | {"required": True},
    query("namespace", "Only what is in this namespace, and what is in none."),
    LABEL_SELECTOR,
    query("resourceVersion", "Changes after this version; absent: what there is comes first, as ADDED."),
    WATCH,
    TIMEOUT,
    BOOKMARKS,
    INITIAL,
    MATCH,
)
USAGE = (
    query("resources", "nodes, assignments, or both."),
    query("namespace", "Only assignments of this namespace."),
    LABEL_SELECTOR,
    FIELD_SELECTOR,
    LIMIT,
    CONTINUE,
)
LOG = (
    query("follow", "Whether to go on with what is written from now on, until the instance has gone.", "boolean"),
    query("previous", "Only the run before the newest one.", "boolean"),
    query("tailLines", "Begin so many lines before the end.", "integer", minimum=0),
    query("sinceSeconds", "Begin with what was written so many seconds ago.", "integer", minimum=1),
    query("sinceTime", "Begin with what was written at this time (RFC 3339).", format="date-time"),
    query("timestamps", "Whether each line begins with its time.", "boolean"),
    query("limitBytes", "End after so many bytes.", "integer", minimum=1),
    query("cursor", "`RUN:OFFSET`: begin exactly there."),
    query("cursors", "Whether each line begins with the cursor that leads behind it, and its time.", "boolean"),
)
