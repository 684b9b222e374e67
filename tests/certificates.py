"""An authority for tests, and files with what it issues."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from plumctl.authority import PairFiles, server_names
from plumctl.certificates import Authority, Pair, Wanted, new_authority


class TestAuthority:
    """Issues certificates into a folder."""

    __test__ = False

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        pair = new_authority(datetime.now(UTC))
        self._authority = Authority(pair)
        self.file = folder / "ca.crt"
        self.file.write_bytes(pair.certificate)

    def pair(self, wanted: Wanted, *, age: timedelta = timedelta(0)) -> Pair:
        return self._authority.issue(wanted, datetime.now(UTC) - age)

    def issue(self, name: str, wanted: Wanted, *, age: timedelta = timedelta(0)) -> PairFiles:
        """A pair in files; one that is 400 days old has expired."""
        files = PairFiles(self.folder / f"{name}.crt", self.folder / f"{name}.key")
        pair = self.pair(wanted, age=age)
        files.key.write_bytes(pair.key)
        files.certificate.write_bytes(pair.certificate)
        return files

    def server(self, name: str = "server") -> PairFiles:
        return self.issue(name, Wanted("server", names=server_names("127.0.0.1")))

    def client(self, user: str, *groups: str) -> PairFiles:
        return self.issue(f"client-{user}", Wanted(user, groups))

    def server_flags(self, *, asks: bool = True) -> list[str]:
        """What a server is told; ``asks``: it takes our client certificates."""
        files = self.server()
        flags = ["--tls-cert", str(files.certificate), "--tls-key", str(files.key)]
        return [*flags, "--client-ca", str(self.file)] if asks else flags

    def context(self, client: PairFiles | None = None) -> ssl.SSLContext:
        """For a client of ours."""
        context = ssl.create_default_context(cafile=str(self.file))
        if client is not None:
            context.load_cert_chain(client.certificate, client.key)
        return context

    def http(self, url: str, client: PairFiles | None = None, token: str = "") -> httpx.Client:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(base_url=url, verify=self.context(client), headers=headers, trust_env=False, timeout=10)
