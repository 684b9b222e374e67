"""How ports are called: by a number, or by the name that the entry gives them."""

from typing import Annotated

from pydantic import AfterValidator

from apiserver.api.meta import IntOrString, is_dns_label


def _port_name(text: str) -> str:
    if not is_dns_label(text, longest=15):
        raise ValueError("must be lowercase letters, digits and '-', at most 15 characters")
    return text


def _port_reference(port: int | str) -> int | str:
    """A number, also one that was written as a text, or the name of a port."""
    if isinstance(port, str) and not (port.isascii() and port.isdigit()):
        return _port_name(port)
    if not 1 <= int(port) <= 65535:
        raise ValueError("must be between 1 and 65535, or the name of a port")
    return int(port)


PortName = Annotated[str, AfterValidator(_port_name)]
PortReference = Annotated[int | str, IntOrString(), AfterValidator(_port_reference)]
