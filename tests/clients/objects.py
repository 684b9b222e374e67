"""Tasks over plain HTTP, for tests in which a library under test is on the other side."""

from dataclasses import dataclass
from typing import Any

import httpx

from tests.e2e.cluster import wait_for

MERGE = {"content-type": "application/merge-patch+json"}


@dataclass
class Tasks:
    """Those of one namespace."""

    http: httpx.Client
    namespace: str

    @property
    def _path(self) -> str:
        return f"/apis/plum.dev/v1/namespaces/{self.namespace}/tasks"

    def create(self, body: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = self.http.post(self._path, json=body).raise_for_status().json()
        return found

    def get(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.http.get(f"{self._path}/{name}").raise_for_status().json()
        return found

    def all(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.http.get(self._path).raise_for_status().json()["items"]
        return found

    def patch(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self.http.patch(f"{self._path}/{name}", json=body, headers=MERGE)
        found: dict[str, Any] = answer.raise_for_status().json()
        return found

    def delete(self, name: str) -> None:
        self.http.delete(f"{self._path}/{name}").raise_for_status()

    def events(self, uid: str, reason: str, type_: str = "Normal") -> list[dict[str, Any]]:
        """The events about one object."""
        query = {"fieldSelector": f"involvedObject.uid={uid},reason={reason},type={type_}"}
        path = f"/api/v1/namespaces/{self.namespace}/events"
        found: list[dict[str, Any]] = self.http.get(path, params=query).raise_for_status().json()["items"]
        return found

    def wait_for_status(self, name: str, field: str) -> dict[str, Any]:
        """The status, once it has a field."""

        def look() -> dict[str, Any] | None:
            status: dict[str, Any] = self.get(name)["status"]
            return status if field in status else None

        return wait_for(f"status.{field} of {name}", look)

    def wait_until_gone(self, name: str) -> None:
        wait_for(f"the end of {name}", lambda: self.http.get(f"{self._path}/{name}").status_code == 404)
