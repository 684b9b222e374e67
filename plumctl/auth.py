"""``plumctl auth``: who the server takes one for, and what one may do."""

import click

from apiserver.api.errors import NotFound
from apiserver.api.meta import Body
from apiserver.api.scheme import SCHEME, Kind
from apiserver.client.rest import RestClient
from plumctl.cli import Session, namespace_option, pass_session
from plumctl.flags import Command
from plumctl.output import Output, OutputType
from plumctl.printers import cell, columns, show
from plumctl.raw import send

AUTHORIZATION = "authorization.k8s.io/v1"
AUTHENTICATION = "authentication.k8s.io/v1"


@click.group()
def auth() -> None:
    """Who you are, and what you may do.

    \b
      plumctl auth whoami
      plumctl auth can-i delete tasks
    """


@auth.command(cls=Command)
@click.option("-o", "--output", type=OutputType("json", "yaml"), default="", help="json, yaml, jsonpath=…")
@pass_session
def whoami(session: Session, output: Output) -> None:
    """Show whom the server takes you for.

    \b
      plumctl auth whoami
    """
    found = session.run(lambda client: _review(client, AUTHENTICATION, "SelfSubjectReview", {}))
    if output.form:
        output.show(found)
        return
    info = found["status"]["userInfo"]
    rows = [["ATTRIBUTE", "VALUE"], ["Username", cell(info.get("username", ""))]]
    rows += [["UID", cell(info["uid"])]] if info.get("uid") else []
    rows += [["Groups", cell(f"[{' '.join(info['groups'])}]")]] if info.get("groups") else []
    rows += [
        [f"Extra: {cell(key)}", cell(f"[{' '.join(values)}]")]
        for key, values in sorted((info.get("extra") or {}).items())
    ]
    show(columns(rows))


@auth.command("can-i", cls=Command)
@click.argument("verb", default="")
@click.argument("what", default="")
@click.option("--subresource", default="", help="For example status.")
@click.option("-A", "--all-namespaces", is_flag=True, help="In all namespaces.")
@click.option("-q", "--quiet", is_flag=True, help="Only the exit code.")
@click.option("--list", "listed", is_flag=True, help="Show all that you may do in the namespace.")
@click.option("--no-headers", is_flag=True, help="Without the line of headings.")
@namespace_option
@pass_session
def can_i(
    session: Session,
    *,
    verb: str,
    what: str,
    subresource: str,
    all_namespaces: bool,
    quiet: bool,
    listed: bool,
    no_headers: bool,
    namespace: str,
) -> int:
    """Whether you may do something: yes with exit code 0, no with 1.

    \b
      plumctl auth can-i create tasks
      plumctl auth can-i get assignments --subresource log -n shop
      plumctl auth can-i get /metrics
      plumctl auth can-i --list
    """
    where = "" if all_namespaces else namespace or session.config().namespace
    if listed:
        found = session.run(
            lambda client: _review(client, AUTHORIZATION, "SelfSubjectRulesReview", {"namespace": where})
        )
        show(rules(found["status"], headers=not no_headers))
        return 0
    if not verb or not what:
        raise click.UsageError("say two things: VERB RESOURCE, or VERB RESOURCE/NAME")
    spec = asked(verb, what, subresource, where)
    status = session.run(lambda client: _review(client, AUTHORIZATION, "SelfSubjectAccessReview", spec))["status"]
    if not quiet:
        reason = "" if status.get("allowed") else cell(status.get("reason", ""))
        click.echo(f"{'yes' if status.get('allowed') else 'no'}{f' - {reason}' if reason else ''}")
    return 0 if status.get("allowed") else 1


def asked(verb: str, what: str, subresource: str, namespace: str) -> Body:
    """The spec of the review; a resource that is not known here is asked about by the name that is given."""
    if what.startswith("/"):
        return {"nonResourceAttributes": {"path": what, "verb": verb}}
    resource, _, name = what.partition("/")
    attributes = {"verb": verb, "name": name, "subresource": subresource, "namespace": namespace}
    if resource == "*":
        attributes |= {"resource": "*", "group": "*"}
    elif kind := _kind(resource):
        attributes |= {"resource": kind.plural, "group": kind.group, "version": kind.version}
        if not kind.namespaced:
            attributes["namespace"] = ""
    else:
        attributes["resource"], _, attributes["group"] = resource.partition(".")
    return {"resourceAttributes": {key: value for key, value in attributes.items() if value}}


def _kind(name: str) -> Kind | None:
    try:
        return SCHEME.named(name)
    except NotFound:
        return None


def rules(status: Body, *, headers: bool) -> list[str]:
    """What the server allows, as a table."""
    rows = [["Resources", "Non-Resource URLs", "Resource Names", "Verbs"]] if headers else []
    rows += [_resource_rule(rule) for rule in status.get("resourceRules") or ()]
    rows += [
        ["", _bracketed(rule.get("nonResourceURLs")), "[]", _bracketed(rule["verbs"])]
        for rule in status.get("nonResourceRules") or ()
    ]
    return columns([[cell(text) for text in row] for row in rows])


def _resource_rule(rule: Body) -> list[str]:
    group = (rule.get("apiGroups") or [""])[0]
    names = [f"{name}.{group}" if group else name for name in rule.get("resources") or ()]
    return [",".join(names), "[]", _bracketed(rule.get("resourceNames")), _bracketed(rule["verbs"])]


def _bracketed(words: list[str] | None) -> str:
    return f"[{' '.join(words or ())}]"


async def _review(client: RestClient, api_version: str, kind: str, spec: Body) -> Body:
    """Ask, and be answered. Raises ApiError."""
    body = {"apiVersion": api_version, "kind": kind, "metadata": {}} | ({"spec": spec} if spec else {})
    found: Body = (await send(client, "POST", f"/apis/{api_version}/{kind.lower()}s", body=body)).json()
    return found
