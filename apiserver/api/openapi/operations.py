"""The paths of a kind, with every operation that its verbs make."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from apiserver.api.kinds.scale import SCALES
from apiserver.api.openapi import below, generic, parameters
from apiserver.api.openapi.below import Below
from apiserver.api.openapi.components import Components, gvk
from apiserver.api.scheme import Served

Json = dict[str, Any]
JSON, YAML, TEXT = "application/json", "application/yaml", "text/plain"
STREAM = "application/json;stream=watch"


@dataclass(frozen=True)
class Operations:
    """Writes down the paths of kinds; the schemas that they need are added to ``components``."""

    components: Components

    def paths(self, kind: Served, subresources: Iterable[Below]) -> dict[str, Json]:
        """Collections, objects and what is below them."""
        inside = "{namespace}" if kind.namespaced else ""
        found = {kind.path(inside): self._collection(kind)}
        if kind.namespaced:
            found[kind.path()] = self._everywhere(kind)
        found[kind.path(inside, "{name}")] = self._object(kind)
        for one in subresources:
            found[kind.path(inside, "{name}", one.name)] = self._below(kind, one)
        return {
            path: {"parameters": placed, **item} if (placed := _placed(path)) else item
            for path, item in found.items()
            if item
        }

    def _collection(self, kind: Served) -> Json:
        made: Json = {}
        if "list" in kind.verbs:
            made["get"] = self._list(kind, _scoped(kind))
        if "create" in kind.verbs:
            made["post"] = self._write(kind, "post", "create", created=True)
        if "deletecollection" in kind.verbs:
            made["delete"] = self._delete_collection(kind, _scoped(kind))
        return made

    def _everywhere(self, kind: Served) -> Json:
        """The collection over all namespaces, into which nothing can be put, and which nobody empties at once."""
        made: Json = {}
        if "list" in kind.verbs:
            made["get"] = self._list(kind, f"{kind.name}ForAllNamespaces")
        return made

    def _list(self, kind: Served, name: str) -> Json:
        content = {JSON: {"schema": self.components.list_of(kind)}}
        if "watch" in kind.verbs:
            content[STREAM] = {"schema": self.components.ref(generic.WatchEvent)}
        return {
            **_head(kind, "list", f"list{_group(kind)}{name}"),
            "description": f"List or watch the {kind.plural}{_where(kind, name)}.",
            "parameters": list(parameters.LIST),
            "responses": self._responses({200: ("The objects, or their changes.", content)}),
        }

    def _delete_collection(self, kind: Served, name: str) -> Json:
        return {
            **_head(kind, "deletecollection", f"delete{_group(kind)}Collection{name}"),
            "description": f"Delete the {kind.plural}{_where(kind, name)} that the selectors name, by default all.",
            "parameters": list(parameters.DELETE_COLLECTION),
            "requestBody": self._body(self.components.ref(generic.DeleteOptions), required=False),
            "responses": self._responses({200: ("What was deleted.", self.components.list_of(kind))}),
        }

    def _object(self, kind: Served) -> Json:
        made: Json = {}
        if "get" in kind.verbs:
            made["get"] = {
                **_head(kind, "get", f"read{_group(kind)}{_scoped(kind)}"),
                "description": f"Read one {kind.singular}.",
                "parameters": list(parameters.READ),
                "responses": self._responses({200: ("The object.", self.components.kind(kind))}),
            }
        if "update" in kind.verbs:
            made["put"] = self._write(kind, "put", "replace")
        if "patch" in kind.verbs:
            made["patch"] = self._patch(kind)
        if "delete" in kind.verbs:
            gone, ending = self.components.ref(generic.Status), self.components.kind(kind)
            made["delete"] = {
                **_head(kind, "delete", f"delete{_group(kind)}{_scoped(kind)}"),
                "description": f"Delete one {kind.singular}.",
                "parameters": list(parameters.DELETE),
                "requestBody": self._body(self.components.ref(generic.DeleteOptions), required=False),
                "responses": self._responses(
                    {200: ("A Status if it is gone, the object while finalizers hold it.", {"oneOf": [gone, ending]})}
                ),
            }
        return made

    def _write(
        self,
        kind: Served,
        action: str,
        word: str,
        *,
        suffix: str = "",
        created: bool = False,
        needs: Iterable[Json] = parameters.WRITE,
        shape: Served | None = None,
    ) -> Json:
        """``shape`` is what is sent and answered, where that is not the object."""
        schema = self.components.kind(shape or kind)
        what = f" {suffix.lower()} of one" if suffix else " one"
        return {
            **_head(kind, action, f"{word}{_group(kind)}{_scoped(kind)}{suffix}", shape),
            "description": f"{word.capitalize()}{what} {kind.singular}.",
            "parameters": list(needs),
            "requestBody": self._body(schema),
            "responses": self._responses({201 if created else 200: ("The object as it is now.", schema)}),
        }

    def _patch(self, kind: Served, suffix: str = "", shape: Served | None = None) -> Json:
        schema = self.components.kind(shape or kind)
        steps = {"type": "array", "items": self.components.ref(generic.JSONPatchOperation)}
        merge = {"type": "object", "description": "The fields to change, null for those to remove (RFC 7386)."}
        made = self._write(kind, "patch", "patch", suffix=suffix, needs=parameters.PATCH, shape=shape)
        made["requestBody"] = {
            "required": True,
            "content": {
                "application/merge-patch+json": {"schema": merge},
                "application/json-patch+json": {"schema": steps},
                "application/apply-patch+yaml": {"schema": schema},
            },
        }
        if kind.is_kubernetes:
            made["requestBody"]["content"]["application/strategic-merge-patch+json"] = {"schema": merge}
        if not suffix:
            made["responses"] |= self._responses({201: ("Server-side apply has created it.", schema)})
        return made

    def _below(self, kind: Served, found: Below) -> Json:
        """One subresource: of the object itself, such as status, or something of its own."""
        described = below.DESCRIBED.get((kind.plural, found.name)) or below.DESCRIBED.get(("", found.name))
        suffix = found.name.capitalize()
        if described is None and found.answer == gvk(kind):
            return self._of_object(kind, found, suffix)
        if found.answer == gvk(SCALES):
            return self._of_object(kind, found, suffix, SCALES)
        described = described or below.Described(f"The {found.name} of")
        return {
            below.METHODS[verb]: self._own(kind, found, verb, described, suffix)
            for verb in found.verbs
            if verb in below.METHODS
        }

    def _of_object(self, kind: Served, found: Below, suffix: str, shape: Served | None = None) -> Json:
        made: Json = {}
        if "get" in found.verbs:
            answer = ("The object.", self.components.kind(shape or kind))
            made["get"] = {
                **_head(kind, "get", f"read{_group(kind)}{_scoped(kind)}{suffix}", shape),
                "description": f"Read one {kind.singular}." if shape is None else f"Read its {suffix.lower()}.",
                "responses": self._responses({200: answer}),
            }
        if "update" in found.verbs:
            made["put"] = self._write(kind, "put", "replace", suffix=suffix, shape=shape)
        if "patch" in found.verbs:
            made["patch"] = self._patch(kind, suffix, shape)
        return made

    def _own(self, kind: Served, found: Below, verb: str, described: below.Described, suffix: str) -> Json:
        method, answer = below.METHODS[verb], described.answers.get(verb)
        made: Json = {
            **_head(kind, method, f"{below.WORDS[verb]}{_group(kind)}{_scoped(kind)}{suffix}"),
            "x-kubernetes-group-version-kind": dict(found.answer),
            "description": f"{described.text} one {kind.singular}.",
            "parameters": list(described.parameters.get(verb, ())),
        }
        if request := described.requests.get(verb):
            made["requestBody"] = self._body(self.components.ref(request))
        if answer is None and verb == "update":
            made["responses"] = self._responses({204: ("Taken.", {})})
        elif described.is_text:
            made["responses"] = self._responses({200: ("The text.", {TEXT: {"schema": {"type": "string"}}})})
        else:
            schema = self.components.ref(answer) if answer else {"type": "object"}
            made["responses"] = self._responses({200: ("The answer.", schema)})
        return made

    def _body(self, schema: Json, *, required: bool = True) -> Json:
        return {"required": required, "content": {JSON: {"schema": schema}, YAML: {"schema": schema}}}

    def _responses(self, wanted: Mapping[int, tuple[str, Json]]) -> Json:
        return responses(self.components, wanted)


def responses(components: Components, wanted: Mapping[int, tuple[str, Json]]) -> Json:
    """Answers by HTTP status, each a schema or contents by media type; every other one is a Status."""
    made: Json = {}
    for code, (text, found) in wanted.items():
        content = found if all("/" in key for key in found) else {JSON: {"schema": found}}
        made[str(code)] = {"description": text} | ({"content": content} if content else {})
    failure = {JSON: {"schema": components.ref(generic.Status)}}
    return made | {"default": {"description": "Why it was refused, or failed.", "content": failure}}


def _head(kind: Served, action: str, name: str, shape: Served | None = None) -> Json:
    return {
        "operationId": name,
        "tags": [f"{_group(kind)[:1].lower()}{_group(kind)[1:]}"],
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": gvk(shape or kind),
    }


def _placed(path: str) -> list[Json]:
    known = {"namespace": parameters.NAMESPACE, "name": parameters.NAME}
    return [known[name] for name in re.findall(r"\{(\w+)\}", path)]


def _where(kind: Served, name: str) -> str:
    if not kind.namespaced:
        return ""
    return " of all namespaces" if name.endswith("ForAllNamespaces") else " of a namespace"


def _scoped(kind: Served) -> str:
    return f"Namespaced{kind.name}" if kind.namespaced else kind.name


def _group(kind: Served) -> str:
    """``PlumDevV1``: the group and version as names of operations have them."""
    words = (kind.group.removesuffix(".k8s.io") or "core").split(".")
    return "".join(word.capitalize() for word in (*words, kind.version))
