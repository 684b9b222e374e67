"""Self reviews: who am I, and what may I do. Each is a question that is posted and comes back with the answer.

Whoever gets past authentication may do everything that the server can do, so the answer is always yes; what does not
exist is not refused either, as on a cluster for an administrator.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import orjson
from pydantic import Field, ValidationError

from apiserver.api.errors import BadRequest, Cause
from apiserver.api.machinery.decode import causes_of, invalid
from apiserver.api.meta import Body, Listed, Model, Resource, Status, is_empty
from apiserver.api.scheme import Served
from apiserver.api.views.registry import VIEWS, View

Text = Annotated[str, Field(exclude_if=is_empty)]


@dataclass(frozen=True)
class User:
    """Who asks."""

    name: str
    groups: Sequence[str] = ()
    uid: str = ""


class ResourceAttributes(Model):
    """A verb on a resource. What is empty means all of that sort."""

    namespace: Text = ""
    """Where; empty: in all namespaces, or of cluster scope."""
    verb: Text = ""
    """Such as get, list, create or delete."""
    group: Text = ""
    """The API group; empty for core."""
    version: Text = ""
    """The version in the group."""
    resource: Text = ""
    """The plural, such as tasks."""
    subresource: Text = ""
    """What is below the object, such as status."""
    name: Text = ""
    """Which object."""
    field_selector: dict[str, Any] | None = None
    """A narrower question. The answer is the same."""
    label_selector: dict[str, Any] | None = None
    """A narrower question. The answer is the same."""


class NonResourceAttributes(Model):
    """A verb on a path that is no resource's."""

    path: Text = ""
    """Such as /metrics."""
    verb: Text = ""
    """Such as get."""


class SelfSubjectAccessReviewSpec(Model):
    """The question: one of the two."""

    resource_attributes: ResourceAttributes | None = None
    """May I do that to a resource?"""
    non_resource_attributes: NonResourceAttributes | None = None
    """May I do that with a path?"""


class SubjectAccessReviewStatus(Status):
    """The answer."""

    allowed: bool = False
    """Whether it would be done."""
    denied: Annotated[bool, Field(exclude_if=is_empty)] = False
    """Whether it would be refused for sure. Never."""
    reason: Text = ""
    """Why."""


class SelfSubjectAccessReview(Resource):
    """May I do that?"""

    api_version: Literal["authorization.k8s.io/v1"] = "authorization.k8s.io/v1"
    kind: Literal["SelfSubjectAccessReview"] = "SelfSubjectAccessReview"
    spec: SelfSubjectAccessReviewSpec = SelfSubjectAccessReviewSpec()
    """The question."""
    status: SubjectAccessReviewStatus = SubjectAccessReviewStatus()
    """The answer; what is posted of it is not looked at."""


class ResourceRule(Model):
    """Verbs that may be used on resources; * stands for all."""

    verbs: tuple[str, ...]
    """Which verbs."""
    api_groups: tuple[str, ...]
    """In which groups."""
    resources: tuple[str, ...]
    """On which resources."""


class NonResourceRule(Model):
    """Verbs that may be used on paths; * stands for all."""

    verbs: tuple[str, ...]
    """Which verbs."""
    non_resource_urls: Annotated[tuple[str, ...], Field(alias="nonResourceURLs")]
    """On which paths."""


class SelfSubjectRulesReviewSpec(Model):
    """The question."""

    namespace: str = ""
    """The namespace to tell the rules of. Required."""


class SubjectRulesReviewStatus(Status):
    """The answer."""

    resource_rules: Listed[ResourceRule] = ()
    """What may be done to resources."""
    non_resource_rules: Listed[NonResourceRule] = ()
    """What may be done with other paths."""
    incomplete: bool = False
    """Whether there may be more. Never."""


class SelfSubjectRulesReview(Resource):
    """What may I do in a namespace?"""

    api_version: Literal["authorization.k8s.io/v1"] = "authorization.k8s.io/v1"
    kind: Literal["SelfSubjectRulesReview"] = "SelfSubjectRulesReview"
    spec: SelfSubjectRulesReviewSpec = SelfSubjectRulesReviewSpec()
    """The question."""
    status: SubjectRulesReviewStatus = SubjectRulesReviewStatus()
    """The answer; what is posted of it is not looked at."""


class UserInfo(Model):
    """A user as the server knows it."""

    username: str = ""
    """The name; system:anonymous for who has shown nothing."""
    uid: Text = ""
    """Tells apart who had the name at different times, where the credentials say it."""
    groups: Listed[str] = ()
    """What the user belongs to."""


class SelfSubjectReviewStatus(Status):
    """The answer."""

    user_info: UserInfo = UserInfo()
    """Who asked."""


class SelfSubjectReview(Resource):
    """Who am I?"""

    api_version: Literal["authentication.k8s.io/v1"] = "authentication.k8s.io/v1"
    kind: Literal["SelfSubjectReview"] = "SelfSubjectReview"
    status: SelfSubjectReviewStatus = SelfSubjectReviewStatus()
    """The answer; what is posted of it is not looked at."""


ALL = ("*",)
EVERYBODY = "whoever is authenticated may do everything"


def _access(asked: Resource, user: User) -> Status:
    assert isinstance(asked, SelfSubjectAccessReview)
    if (asked.spec.resource_attributes is None) == (asked.spec.non_resource_attributes is None):
        message = "Invalid value: exactly one of nonResourceAttributes or resourceAttributes must be specified"
        raise invalid(ACCESS, "", [Cause("spec.resourceAttributes", message)])
    return SubjectAccessReviewStatus(allowed=True, reason=EVERYBODY)


def _rules(asked: Resource, user: User) -> Status:
    assert isinstance(asked, SelfSubjectRulesReview)
    if not asked.spec.namespace:
        raise BadRequest("spec.namespace: Required value: no namespace on request")
    return SubjectRulesReviewStatus(
        resource_rules=(ResourceRule(verbs=ALL, api_groups=ALL, resources=ALL),),
        non_resource_rules=(NonResourceRule(verbs=ALL, non_resource_urls=ALL),),
    )


def _who(asked: Resource, user: User) -> Status:
    return SelfSubjectReviewStatus(user_info=UserInfo(username=user.name, uid=user.uid, groups=tuple(user.groups)))


def review(view: Served, body: Body, user: User, *, created: str) -> Body:
    """The question with its answer; ``created`` is the present moment. Raises BadRequest, Invalid."""
    question = {key: value for key, value in body.items() if key not in ("status", "apiVersion", "kind")}
    try:
        asked = view.model.model_validate_json(orjson.dumps(question), strict=True)
    except ValidationError as error:
        raise invalid(view, "", causes_of(error)) from None
    answered = asked.model_copy(update={"status": _ANSWERS[view.plural](asked, user)}).to_body()
    answered["metadata"] = {"creationTimestamp": created}
    return answered


def _view(model: type[Resource], plural: str) -> View:
    return VIEWS.register(View(model=model, plural=plural, columns=(), namespaced=False, verbs=("create",)))


ACCESS = _view(SelfSubjectAccessReview, "selfsubjectaccessreviews")
RULES = _view(SelfSubjectRulesReview, "selfsubjectrulesreviews")
WHO = _view(SelfSubjectReview, "selfsubjectreviews")
_ANSWERS: dict[str, Callable[[Resource, User], Status]] = {
    ACCESS.plural: _access,
    RULES.plural: _rules,
    WHO.plural: _who,
}
