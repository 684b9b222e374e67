"""Self reviews over HTTP: in JSON, and in the protobuf that kubectl sends."""

import os
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest

from apiserver.server.http.protobuf import PROTOBUF
from tests.integration.test_resources import expect
from tests.properties.test_protobuf import CAN_I, CAN_I_LIST, CAN_I_PATH, WHO_AM_I
from tests.servers import start_apiserver

ACCESS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
RULES = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
WHO = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
BINARY = {"content-type": PROTOBUF, "accept": f"{PROTOBUF},application/json"}


@pytest.mark.parametrize("body", [CAN_I, CAN_I_PATH])
def test_everything_is_allowed(http: httpx.Client, body: bytes) -> None:
    answer = http.post(ACCESS, content=body, headers=BINARY)
    assert answer.status_code == 201
    assert answer.headers["content-type"] == "application/json"
    found = answer.json()
    assert (found["kind"], found["status"]["allowed"]) == ("SelfSubjectAccessReview", True)
    assert found["spec"]


def test_the_question_comes_back_with_the_answer(http: httpx.Client) -> None:
    spec = {"resourceAttributes": {"verb": "fly", "resource": "pigs", "namespace": "default"}}
    asked = {"spec": spec, "status": {"allowed": False, "reason": "no"}}
    found = http.post(ACCESS, json=asked).json()
    assert found["spec"] == spec
    assert found["status"] == {"allowed": True, "reason": "whoever is authenticated may do everything"}
    rules = http.post(RULES, content=CAN_I_LIST, headers=BINARY).json()["status"]
    assert rules == {
        "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}],
        "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
        "incomplete": False,
    }


def test_questions_that_cannot_be_answered(http: httpx.Client) -> None:
    one_of = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
    expect(http.post(ACCESS, json={}), 422, "Invalid", one_of)
    expect(http.post(RULES, json={}), 400, "BadRequest", "no namespace on request")
    expect(http.post(ACCESS, json={"spec": {"resourceAttributes": 1}}), 422, "Invalid", "must be of type object")
    unknown = http.post(ACCESS, params={"fieldValidation": "Strict"}, json={"spec": {"x": 1}})
    expect(unknown, 400, "BadRequest", 'unknown field "spec.x"')
    expect(http.post(WHO, content=CAN_I, headers=BINARY), 400, "BadRequest", "authorization.k8s.io/v1")
    expect(http.post(WHO, content=b"k8s\0\xff", headers=BINARY), 400, "BadRequest", "not Kubernetes protobuf")
    expect(http.post(WHO, content=b"x", headers={"content-type": "text/csv"}), 415, "UnsupportedMediaType", "text/csv")
    expect(http.get(WHO), 405, "MethodNotAllowed", "does not allow GET")
    expect(http.post(f"{WHO}/x", json={}), 404, "NotFound", "could not find")
    expect(http.post("/apis/authentication.k8s.io/v1/tokenreviews", json={}), 404, "NotFound", "could not find")


def test_users_are_told_who_they_are(http: httpx.Client, tmp_path: Path) -> None:
    nobody = http.post(WHO, content=WHO_AM_I, headers=BINARY).json()["status"]["userInfo"]
    assert nobody == {"username": "system:anonymous", "groups": ["system:unauthenticated"]}
    tokens = tmp_path / "tokens.csv"
    tokens.write_text('0123456789abcdef,jo,u-7,"ops,dev"\n')
    with start_apiserver(tmp_path / "data", "--token-file", str(tokens)) as url:
        answer = httpx.post(f"{url}{WHO}", content=WHO_AM_I, headers=BINARY, trust_env=False)
        assert answer.status_code == 401
        bearer = BINARY | {"authorization": "Bearer 0123456789abcdef"}
        found = httpx.post(f"{url}{WHO}", content=WHO_AM_I, headers=bearer, trust_env=False).json()
    groups = ["ops", "dev", "system:authenticated"]
    assert found["status"]["userInfo"] == {"username": "jo", "uid": "u-7", "groups": groups}


@pytest.mark.parametrize("header", ["impersonate-user", "impersonate-group", "impersonate-uid"])
@pytest.mark.parametrize("path", [WHO, "/apis/plum.dev/v1/tasks"])
def test_nobody_is_taken_for_another(http: httpx.Client, header: str, path: str) -> None:
    """Least of all for oneself, who may have wanted less."""
    answer = http.request("POST" if path == WHO else "GET", path, headers={header: "bob"})
    assert (answer.status_code, answer.json()["reason"]) == (403, "Forbidden")
    assert "cannot impersonate" in answer.json()["message"]


@pytest.mark.skipif(
    not shutil.which("kubectl") and not os.environ.get("PLUM_REQUIRE_KUBECTL"), reason="kubectl is not installed"
)
def test_kubectl_asks(server: str, tmp_path: Path) -> None:
    def kubectl(*args: str) -> str:
        environ = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
        found = subprocess.run(
            ["kubectl", "-s", server, *args], env=environ, capture_output=True, timeout=60, check=True
        )
        return found.stdout.decode()

    assert kubectl("auth", "can-i", "delete", "tasks") == "yes\n"
    assert "*.*" in kubectl("auth", "can-i", "--list")
    assert "system:anonymous" in kubectl("auth", "whoami")
