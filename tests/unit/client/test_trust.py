import ssl

import pytest

from apiserver.client.trust import trust


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "https://plum.example:443"])
def test_no_host_is_believed_without_a_certificate(url: str) -> None:
    context = trust(url)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_only_https_reads_the_certificates_of_the_authorities() -> None:
    assert trust("http://127.0.0.1:8080").get_ca_certs() == []
    assert trust("HTTPS://plum.example").get_ca_certs()


def test_connections_share_what_they_trust() -> None:
    assert trust("https://one.example") is trust("https://other.example")
