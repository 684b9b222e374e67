"""The agent's downloads and the server's artifacts: what broke off is gone on with."""

import hashlib
from pathlib import Path

import httpx

from agent.artifacts import Artifacts
from agent.partials import Origin, Partial

CONTENT = bytes(range(256)) * 1000
SHA = hashlib.sha256(CONTENT).hexdigest()
URL = f"/artifacts/sha256/{SHA}"


async def test_the_server_gives_the_rest_of_what_it_gave_before(server: str, tmp_path: Path) -> None:
    answers = []

    async def note(response: httpx.Response) -> None:
        answers.append((response.status_code, response.headers.get("etag")))

    async with httpx.AsyncClient(base_url=server, trust_env=False, event_hooks={"response": [note]}) as client:
        (await client.put(URL, content=CONTENT)).raise_for_status()
        answers.clear()
        for validator, status in ((f'"{SHA}"', 206), ('"another"', 200)):
            landing = Partial(tmp_path, SHA)
            landing.begin(Origin(URL, validator, len(CONTENT)))
            landing.path.write_bytes(CONTENT[:1000])
            async with Artifacts(tmp_path, client).held(URL, SHA) as path:
                assert path.read_bytes() == CONTENT
            path.unlink()
            assert answers.pop() == (status, f'"{SHA}"')
