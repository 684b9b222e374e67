"""The commands against a real server: what they print where, and their exit codes."""

import json
from pathlib import Path

import pytest

from plumctl.commands import cli
from tests.unit.plumctl.conftest import Ctl

HELLO = Path(__file__).parents[3] / "manifests" / "hello"


def namespace(name: str, **labels: str) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})


def test_push_then_apply_then_unchanged(ctl: Ctl) -> None:
    missing = ctl("apply", "-f", str(HELLO))
    assert missing.exit_code == 1
    assert "task.yaml (document 1" in missing.stderr
    assert "plumctl app push DIR" in missing.stderr
    assert ctl("get", "tasks").stderr == "No resources found in default namespace.\n"
    assert "pushed" in ctl("app", "push", str(HELLO / "app")).stdout
    assert "unchanged" in ctl("app", "push", str(HELLO / "app")).stdout
    assert ctl("apply", "-f", str(HELLO), "--dry-run").stdout == "task/hello created (server dry run)\n"
    assert ctl("apply", "-f", str(HELLO)).stdout == "task/hello created\n"
    assert ctl("apply", "-f", str(HELLO)).stdout == "task/hello unchanged\n"
    described = ctl("describe", "task", "hello").stdout
    assert all(word in described for word in ("Name:", "Entries:", "Assignments:", "Events:"))
    assert ctl("delete", "task/hello", "--no-wait").stdout == "task/hello deleted\n"


def test_services_and_endpoints_are_shown(ctl: Ctl) -> None:
    service = "apiVersion: plum.dev/v1\nkind: Service\nmetadata: {name: shop}\n"
    service += "spec: {selector: {tier: shop}, ports: [{port: http, protocol: http}, {port: 9}]}\n"
    endpoint = "apiVersion: plum.dev/v1\nkind: Endpoint\nmetadata: {name: mail}\n"
    endpoint += "spec: {service: shop, ip: '::1', port: 25, labels: {someKey: x}, version: '2'}\n"
    made = ctl("apply", "-f", "-", stdin=f"{endpoint}---\n{service}").stdout
    assert made == "service/shop created\nendpoint/mail created\n"
    services, endpoints = ctl("get", "svc,ep", "-o", "wide").stdout.split("\n\n")
    head, row = services.splitlines()
    assert head.split() == ["NAME", "READY", "ENDPOINTS", "AGE", "SELECTOR", "PORTS"]
    assert row.split()[-2:] == ["tier=shop", "http/http,9/tcp"]
    head, row = endpoints.splitlines()
    assert head.split()[:6] == ["NAME", "SERVICE", "ADDRESS", "PROTOCOL", "HEALTHY", "REASON"]
    assert row.split()[:5] == ["endpoint/mail", "shop", "[::1]:25", "tcp", "False"]
    described = ctl("describe", "service", "shop").stdout
    assert "    tier: shop\n" in described
    assert "mail   shop" in described.partition("Endpoints:")[2]
    assert "    someKey: x\n" in ctl("describe", "ep", "mail").stdout
    assert "healthOverride <boolean>" in ctl("explain", "endpoint.spec").stdout
    refused = ctl("apply", "-f", "-", stdin=service.replace("selector: {tier: shop}, ", ""))
    assert refused.exit_code == 1
    assert "spec.selector: Required value" in refused.stderr
    assert ctl("delete", "svc/shop", "ep/mail", "--no-wait").stdout == "service/shop deleted\nendpoint/mail deleted\n"


def test_the_latest_command_wins_over_an_applied_state(ctl: Ctl) -> None:
    task = "apiVersion: plum.dev/v1\nkind: Task\nmetadata: {name: state}\nspec:\n  state: Running\n  entries:\n"
    task += f"  - {{artifactUrl: 'http://x/y.zip', sha256: {'a' * 64}}}\n"
    assert ctl("apply", "-f", "-", stdin=task).stdout == "task/state created\n"
    assert ctl("stop", "task/state").stdout == "task/state stopped\n"
    assert ctl("apply", "-f", "-", stdin=task).stdout == "task/state configured\n"
    assert json.loads(ctl("get", "task/state", "-o", "json").stdout)["spec"]["state"] == "Running"


def test_a_refusal_of_one_document_stores_none(ctl: Ctl) -> None:
    documents = namespace("first") + "\n---\n" + namespace("default", **{"changed": "yes"})
    documents += '\n---\n{"apiVersion": "plum.dev/v1", "kind": "Node", "metadata": {"name": "n", "uid": "not-its"}}'
    ctl("apply", "-f", "-", stdin='{"apiVersion": "plum.dev/v1", "kind": "Node", "metadata": {"name": "n"}}')
    refused = ctl("apply", "-f", "-", stdin=documents)
    assert refused.exit_code == 1
    assert refused.stderr.startswith("error: standard input (document 3")
    assert ctl("get", "namespace", "first").exit_code == 1


def test_a_namespace_and_what_is_in_it_apply_together(ctl: Ctl) -> None:
    lease = '{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"l","namespace":"fresh"}}'
    applied = ctl("apply", "-f", "-", stdin=lease + "\n---\n" + namespace("fresh"))
    assert applied.stdout == "namespace/fresh created\nlease/l created\n", applied.stderr


def test_a_namespace_that_contradicts_the_option(ctl: Ctl) -> None:
    lease = '{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"l","namespace":"default"}}'
    refused = ctl("apply", "-n", "other", "-f", "-", stdin=lease)
    assert refused.exit_code == 1
    assert "metadata.namespace" in refused.stderr


def test_the_namespace_may_stand_before_the_command(ctl: Ctl) -> None:
    assert ctl("apply", "-f", "-", stdin=namespace("early")).exit_code == 0
    where = "No resources found in early namespace.\n"
    assert ctl("-n", "early", "get", "tasks").stderr == where
    assert ctl("--namespace", "default", "get", "tasks", "-n", "early").stderr == where
    assert ctl("-n", "early", "get", "namespaces", "-o", "name").stdout.count("namespace/") > 1
    assert "pushed" in ctl("-n", "early", "app", "push", str(HELLO / "app")).stdout
    assert ctl("-n", "early", "get", "apps", "-o", "name").stdout.count("app.plum.dev/hello") == 1
    assert ctl("-n", "default", "get", "apps", "-A", "-o", "name").stdout.count("app.plum.dev/hello") > 0


def test_names_that_get_prints_can_be_given_to_commands(ctl: Ctl) -> None:
    ctl("apply", "-f", "-", stdin=namespace("round"))
    [name] = [line for line in ctl("get", "ns", "-o", "name").stdout.splitlines() if "round" in line]
    assert ctl("delete", name).exit_code == 0
    assert ctl("get", name).exit_code == 1


def test_delete_is_back_when_all_is_gone(ctl: Ctl) -> None:
    ctl("apply", "-f", "-", stdin=namespace("gone", **{"team": "a"}))
    assert ctl("delete", "ns", "-l", "team=a").stdout == "namespace/gone deleted\n"
    assert ctl("get", "ns", "-l", "team=a").stderr == "No resources found.\n"
    assert ctl("delete", "ns", "gone").exit_code == 1
    assert ctl("delete", "ns", "gone", "--ignore-not-found").exit_code == 0


def test_delete_that_takes_too_long_says_what_to_look_at(ctl: Ctl) -> None:
    lease = '{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"held","finalizers":["a.b/c"]}}'
    ctl("apply", "-f", "-", stdin=lease)
    late = ctl("delete", "lease", "held", "--timeout", "0.2")
    assert late.exit_code == 1
    assert "plumctl describe lease held" in late.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("get", "nonsense"), 2),
        (("get", "tasks", "--surprise"), 2),
        (("stop", "node/n"), 2),
        (("get", "task", "absent"), 1),
        (("explain", "task.spec.absent"), 1),
        (("get", "tasks", "--server", "http://127.0.0.1:1"), 1),
        (("get", "tasks", "--server", "nonsense://x"), 1),
        (("get", "tasks", "--kubeconfig", "/absent", "--server", ""), 0),
    ],
)
def test_errors_are_one_line_with_an_exit_code(ctl: Ctl, arguments: tuple[str, ...], code: int) -> None:
    result = ctl(*arguments)
    assert result.exit_code == code
    if code:
        assert result.stdout == ""
        assert result.stderr.startswith("error: ")
        assert result.stderr.count("\n") == 1


def test_several_kinds_in_one_get(ctl: Ctl) -> None:
    ctl("apply", "-f", "-", stdin=namespace("several"))
    shown = ctl("get", "ns,nodes").stdout
    assert "namespace/several" in shown
    body = json.loads(ctl("get", "ns", "-o", "json", "--chunk-size", "1").stdout)
    assert {item["metadata"]["name"] for item in body["items"]} >= {"default", "several"}


@pytest.mark.parametrize("command", sorted(cli.commands))
def test_every_command_shows_an_example(ctl: Ctl, command: str) -> None:
    inner = ["push"] if command == "app" else []
    assert f"plumctl {command}" in ctl(command, *inner, "--help").stdout


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_completion_scripts(ctl: Ctl, shell: str) -> None:
    assert "_PLUMCTL_COMPLETE" in ctl("completion", shell).stdout


def test_explain_names_type_default_and_description(ctl: Ctl) -> None:
    shown = ctl("explain", "task.spec.entries").stdout
    assert "restartPolicy <string> (one of Always, OnFailure, Never; default Always)" in shown


def test_who_am_i(ctl: Ctl) -> None:
    shown = [line.split() for line in ctl("auth", "whoami").stdout.splitlines()]
    assert shown == [
        ["ATTRIBUTE", "VALUE"],
        ["Username", "system:anonymous"],
        ["Groups", "[system:unauthenticated]"],
    ]
    assert json.loads(ctl("auth", "whoami", "-o", "json").stdout)["kind"] == "SelfSubjectReview"
    assert ctl("auth", "whoami", "-o", "jsonpath={.status.userInfo.username}").stdout == "system:anonymous"


def test_what_may_i_do(ctl: Ctl) -> None:
    for question in (("delete", "tasks"), ("get", "asg/x", "--subresource=log"), ("get", "/metrics"), ("get", "pods")):
        answer = ctl("auth", "can-i", *question)
        assert (answer.exit_code, answer.stdout) == (0, "yes\n")
    assert ctl("auth", "can-i", "list", "nodes", "-q").output == ""
    assert ctl("auth", "can-i", "--list").stdout.splitlines()[0].startswith("Resources")
    assert "[*]" in ctl("auth", "can-i", "--list", "--no-headers").stdout
    assert ctl("auth", "can-i", "get").exit_code == 2
