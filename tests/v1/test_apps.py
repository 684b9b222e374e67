"""Apps: uploads and what they must hold, what is told of them, and when their files go."""

import hashlib
import time
from typing import Any

import pytest

from tests.e2e.cluster import wait_for
from tests.v1.archives import START, app, zipped
from tests.v1.client import V1, Apis

KEYS = {"artifactId", "name", "version", "url", "sha256", "sizeBytes", "createdAt"}
INCOMPLETE = "zip must contain start.sh and meta.ini(name,version)"


def listed(v1: V1, name: str) -> list[dict[str, Any]]:
    return [found for found in v1.get("/v1/apps").json() if found["name"] == name]


def test_a_good_zip_becomes_an_app(v1: V1, apis: Apis, fresh: str) -> None:
    archive = app(fresh, "2.1")
    digest = hashlib.sha256(archive).hexdigest()
    found = v1.upload(archive).json()
    assert set(found) == KEYS
    assert (found["name"], found["version"], found["sha256"]) == (fresh, "2.1", digest)
    assert found["url"] == f"/artifacts/{fresh}_2.1_{digest[:8]}.zip"
    assert found["sizeBytes"] == len(archive)
    assert abs(found["createdAt"] - time.time()) < 5
    assert listed(v1, fresh) == [found]
    body = apis.read("apps", found["artifactId"])
    assert body["spec"] | {"services": []} == {
        "name": fresh,
        "version": "2.1",
        "sha256": digest,
        "sizeBytes": len(archive),
        "services": [],
    }


def test_the_file_is_served(v1: V1, fresh: str) -> None:
    archive = app(fresh)
    found = v1.upload(archive).json()
    got = v1.ask("GET", found["url"])
    assert (got.status, got.raw, got.headers["content-type"]) == (200, archive, "application/zip")
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["etag"] == f'"{found["sha256"]}"'
    assert int(got.headers["content-length"]) == len(archive)
    head = v1.ask("HEAD", found["url"])
    assert (head.status, head.raw, head.headers["etag"]) == (200, b"", got.headers["etag"])
    assert int(head.headers["content-length"]) == len(archive)
    part = v1.ask("GET", found["url"], headers={"range": "bytes=2-5"})
    assert (part.status, part.raw) == (206, archive[2:6])
    assert part.headers["content-range"] == f"bytes 2-5/{len(archive)}"


def test_an_upload_may_go_to_another_namespace(v1: V1, apis: Apis, fresh: str) -> None:
    files = {"file": ("app.zip", app(fresh), "application/zip")}
    refused = v1.ask("POST", "/v1/apps/upload", params={"namespace": fresh}, files=files)
    refused.error(404, f"namespace '{fresh}' not found")
    assert apis.ask("POST", "/api/v1/namespaces", json={"metadata": {"name": fresh}}).status == 201
    found = v1.ask("POST", "/v1/apps/upload", params={"namespace": fresh}, files=files).json()
    assert apis.read("apps", found["artifactId"], fresh)["spec"]["sha256"] == found["sha256"]
    assert listed(v1, fresh) == [], "/v1 shows what is in the namespace default"
    assert v1.ask("GET", found["url"]).status == 200


@pytest.mark.parametrize(
    "path",
    ["none_1_00000000.zip", "", "..%2fplum.db", "..%2f..%2fetc%2fpasswd", "sha256", "sleeper_1.0.0_00000000.zip"],
)
def test_there_is_no_other_file_and_no_listing(v1: V1, artifact: str, path: str) -> None:
    found = v1.ask("GET", f"/artifacts/{path}")
    assert found.status == 404
    assert artifact.rpartition("/")[2].encode() not in found.raw


@pytest.mark.parametrize("folder", ["", "top/", "我的应用/"])
def test_an_app_lies_at_the_root_or_in_its_one_top_folder(v1: V1, fresh: str, folder: str) -> None:
    assert v1.upload(app(fresh, folder=folder)).json()["name"] == fresh


@pytest.mark.parametrize(
    "meta",
    [
        "name={}\nversion=3\n",
        "name: {}\nversion: 3\n",
        "# a comment\n; another\n\n  name = {}  \n[section]\nversion:3\nservice=a:http:80\n",
        "\r\nversion=3\r\nname={}\r\n#name=other\r\n",
    ],
)
def test_meta_ini_may_be_written_in_several_ways(v1: V1, fresh: str, meta: str) -> None:
    found = v1.upload(zipped({"meta.ini": meta.format(fresh), "start.sh": START})).json()
    assert (found["name"], found["version"]) == (fresh, "3")


def test_an_app_may_have_a_chinese_name(v1: V1, fresh: str) -> None:
    archive = app(f"订单 {fresh}", "1.0-测试")
    reply = v1.upload(archive, "订单.zip")
    found = reply.json()
    assert (found["name"], found["version"]) == (f"订单 {fresh}", "1.0-测试")
    assert f'"name":"订单 {fresh}"'.encode() in reply.raw
    assert v1.ask("GET", found["url"]).raw == archive


@pytest.mark.parametrize(
    "files",
    [
        {"start.sh": START},
        {"meta.ini": "name=a\nversion=1\n"},
        {"start.sh": START, "meta.ini": "name=a\n"},
        {"start.sh": START, "meta.ini": "version=1\n"},
        {"start.sh": START, "meta.ini": "name=\nversion=1\n"},
        {"start.sh": START, "meta.ini": "#name=a\nversion=1\n"},
        {"a/start.sh": START, "a/meta.ini": "name=a\nversion=1\n", "b/other": ""},
        {"a/b/start.sh": START, "a/b/meta.ini": "name=a\nversion=1\n"},
        {},
    ],
)
def test_an_incomplete_zip_is_refused(v1: V1, files: dict[str, str]) -> None:
    before = v1.get("/v1/apps").raw
    v1.upload(zipped(files)).error(400, INCOMPLETE)
    assert v1.get("/v1/apps").raw == before


@pytest.mark.parametrize("archive", [b"", b"certainly no zip" * 100, app("cut")[:-30]])
def test_what_is_no_zip_is_refused(v1: V1, archive: bytes) -> None:
    v1.upload(archive).error(400, "not a zip")


def test_an_upload_without_its_file_is_refused(v1: V1) -> None:
    v1.ask("POST", "/v1/apps/upload", files={"other": ("app.zip", app("other"))}).error(400, "file required")


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("application/json", b'{"file":"x"}'),
        ("multipart/form-data", b"no boundary"),
        ("multipart/form-data; boundary=x", b"--y\r\n\r\nnothing of the kind\r\n"),
        ("", b""),
    ],
)
def test_an_upload_that_is_no_form_is_refused(v1: V1, media_type: str, body: bytes) -> None:
    headers = {"content-type": media_type} if media_type else {}
    v1.ask("POST", "/v1/apps/upload", content=body, headers=headers).error(400, "bad form")


def test_apps_are_told_newest_first(v1: V1, fresh: str) -> None:
    made = [v1.upload(app(fresh, f"{number}")).json() for number in (3, 1, 2)]
    assert listed(v1, fresh) == made[::-1]


def test_equal_uploads_have_one_file(v1: V1, fresh: str) -> None:
    archive = app(fresh)
    first, second = v1.upload(archive).json(), v1.upload(archive).json()
    assert (first["url"], first["sha256"]) == (second["url"], second["sha256"])
    assert v1.ask("GET", first["url"]).raw == archive
    v1.delete(f"/v1/apps/{first['artifactId']}").done()
    if second["artifactId"] != first["artifactId"]:
        assert v1.ask("GET", first["url"]).raw == archive
        v1.delete(f"/v1/apps/{second['artifactId']}").done()
    assert v1.ask("GET", first["url"]).status == 404


def test_the_file_goes_whoever_deletes_the_last_app_that_has_it(v1: V1, apis: Apis, fresh: str) -> None:
    found = v1.upload(app(fresh)).json()
    blob = f"/artifacts/sha256/{found['sha256']}"
    assert apis.ask("DELETE", apis.path("apps", found["artifactId"])).status == 200
    wait_for("no blob", lambda: v1.ask("GET", blob).status == 404 or None)


def test_a_file_stays_while_another_app_has_its_digest(v1: V1, apis: Apis, fresh: str) -> None:
    archive = app(fresh)
    first = v1.upload(archive).json()
    spec = apis.read("apps", first["artifactId"])["spec"]
    apis.create("apps", "App", f"{fresh}-twin", spec=spec)
    assert {found["artifactId"] for found in listed(v1, fresh)} == {first["artifactId"], f"{fresh}-twin"}
    v1.delete(f"/v1/apps/{first['artifactId']}").done()
    assert v1.ask("GET", first["url"]).raw == archive
    v1.delete(f"/v1/apps/{fresh}-twin").done()
    assert v1.ask("GET", first["url"]).status == 404
    assert v1.ask("GET", f"/artifacts/sha256/{first['sha256']}").status == 404


def test_an_app_of_the_other_door_is_listed_and_served(v1: V1, apis: Apis, fresh: str) -> None:
    archive = app(fresh, "7")
    digest = hashlib.sha256(archive).hexdigest()
    assert apis.ask("PUT", f"/artifacts/sha256/{digest}", content=archive).status == 201
    spec = {"name": fresh, "version": "7", "sha256": digest, "sizeBytes": len(archive)}
    apis.create("apps", "App", f"{fresh}-app", spec=spec)
    (found,) = listed(v1, fresh)
    assert (found["artifactId"], found["url"]) == (f"{fresh}-app", f"/artifacts/{fresh}_7_{digest[:8]}.zip")
    assert v1.ask("GET", found["url"]).raw == archive


def test_an_app_goes_only_when_no_task_uses_it(v1: V1, apis: Apis, fresh: str, node: str) -> None:
    found = v1.upload(app(fresh)).json()
    task = v1.create(fresh, {"artifactUrl": found["url"], "replicas": {node: 0}})
    v1.delete(f"/v1/apps/{found['artifactId']}").error(409, "artifact in use")
    assert v1.ask("GET", found["url"]).status == 200
    v1.delete(f"/v1/tasks/{task['taskId']}").done()
    v1.delete(f"/v1/apps/{found['artifactId']}").done()
    assert not apis.has("apps", found["artifactId"])
    assert listed(v1, fresh) == []
    v1.delete(f"/v1/apps/{found['artifactId']}").error(404)


def test_an_app_that_runs_somewhere_stays(v1: V1, fresh: str, node: str) -> None:
    found = v1.upload(app(fresh)).json()
    (instance,) = v1.create(fresh, {"artifactUrl": found["url"], "replicas": {node: 1}})["instances"]
    assert instance in v1.delete(f"/v1/apps/{found['artifactId']}").error(409, "artifact in use")
