"""Whom TLS trusts: variables, the store of the system, certifi; and that it always verifies."""

import os
import shutil
import ssl
import subprocess
import sys

import pytest
import trustme

from flux_cli.core.errors import ConfigError
from flux_cli.http.machine.certificates import tls_context

NAME = "flux.example"
VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@pytest.fixture(scope="module")
def company():
    return trustme.CA()


@pytest.fixture(autouse=True)
def no_variables(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def bundle(company, tmp_path):
    """A file with the authority of the company."""
    path = tmp_path / "company.pem"
    company.cert_pem.write_to_path(str(path))
    return path


def is_trusted(client, authority, name=NAME):
    """Whether a client finishes a handshake with a server of this authority, in memory."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(NAME).configure_cert(server)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [client.wrap_bio(back, there, server_hostname=name)]
    ends.append(server.wrap_bio(there, back, server_side=True))
    for _ in range(6):
        for end in tuple(ends):
            try:
                end.do_handshake()
                ends.remove(end)
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLCertVerificationError:
                return False
    return not ends


def test_the_system_is_trusted_and_nobody_else(company, bundle):
    assert not is_trusted(tls_context("linux"), company)
    assert is_trusted(tls_context("linux", stores=("/absent", str(bundle))), company)


def test_an_unreadable_or_empty_store_is_passed_over(company, tmp_path):
    empty = tmp_path / "empty.pem"
    empty.touch()
    assert not is_trusted(tls_context("linux", stores=(str(empty),)), company)


@pytest.mark.parametrize("variable", VARIABLES)
def test_every_variable_of_other_tools_names_an_authority(variable, company, bundle, monkeypatch):
    place = bundle.parent if variable == "SSL_CERT_DIR" else bundle
    monkeypatch.setenv(variable, f'"{place}"\r')
    for platform in ("linux", "darwin"):
        assert is_trusted(tls_context(platform), company)
        assert not is_trusted(tls_context(platform), company, "other.example")
        assert not is_trusted(tls_context(platform), trustme.CA())


@pytest.mark.parametrize("variable", ["SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
@pytest.mark.parametrize("name", ["01234567.0", "company.crt", "company.PEM"])
def test_a_folder_is_read_with_and_without_hashed_names(
    variable, name, company, bundle, tmp_path, monkeypatch
):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "readme.pem").write_text("no certificate")
    if name.endswith(".0"):
        if not shutil.which("openssl"):
            pytest.skip("needs openssl for the hash of the name")
        line = ["openssl", "x509", "-hash", "-noout", "-in", str(bundle)]
        name = (
            subprocess.run(line, capture_output=True, text=True, check=True).stdout.strip() + ".0"
        )
    shutil.copy(bundle, folder / name)
    monkeypatch.setenv(variable, str(folder))
    assert is_trusted(tls_context(), company)


def test_a_file_and_a_folder_of_openssl_are_both_trusted(company, bundle, tmp_path, monkeypatch):
    second = trustme.CA()
    folder = tmp_path / "folder"
    folder.mkdir()
    second.cert_pem.write_to_path(str(folder / "second.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    monkeypatch.setenv("SSL_CERT_DIR", f"{folder}{os.pathsep}{tmp_path}{os.pathsep}/absent")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/absent")  # does not count beside them
    assert is_trusted(tls_context(), company)
    assert is_trusted(tls_context(), second)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_bundle_of_windows_is_read(encoding, company, bundle, monkeypatch):
    text = f"# für uns\r\n{bundle.read_text()}"
    bundle.write_bytes(text.encode(encoding))
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    assert is_trusted(tls_context(), company)


@pytest.mark.parametrize("variable", VARIABLES)
@pytest.mark.parametrize("kind", ["absent", "empty", "text"])
def test_certificates_that_cannot_be_used_are_named_with_their_variable(
    variable, kind, tmp_path, monkeypatch
):
    place = tmp_path / kind
    if variable == "SSL_CERT_DIR" and kind != "absent":
        place.mkdir()
        (place / "a.pem").write_text(kind)
    elif kind != "absent":
        place.write_text("" if kind == "empty" else "text")
    monkeypatch.setenv(variable, str(place))
    with pytest.raises(ConfigError, match=f"^{variable}: cannot use ") as raised:
        tls_context()
    assert str(place) in raised.value.message
    assert "PEM" in raised.value.hint


def test_authorities_that_leave_out_what_rfc_5280_asks_for_are_accepted(bundle, monkeypatch):
    """Python 3.13 refuses them, and with them the TLS proxies of many companies."""
    for variable in ("", "SSL_CERT_FILE"):
        if variable:
            monkeypatch.setenv(variable, str(bundle))
        context = tls_context("linux")
        assert not context.verify_flags & ssl.VERIFY_X509_STRICT
        assert context.verify_mode == ssl.CERT_REQUIRED
        assert context.check_hostname


def test_a_store_that_is_not_a_file_is_asked_through_truststore(company, bundle):
    """Here, truststore reads what OpenSSL reads, which is not the company's authority."""
    for platform in ("darwin", "win32"):
        context = tls_context(platform)
        assert type(context).__module__.startswith("truststore")
        assert not is_trusted(context, company)
        context.load_verify_locations(cafile=str(bundle))
        assert is_trusted(context, company)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("unshare"), reason="needs namespaces")
def test_where_the_system_has_no_store_certifi_is_trusted():
    start = ["unshare", "-rm", "sh", "-c", 'mount -t tmpfs none /etc/ssl && exec "$@"', "-"]
    script = (
        "import ssl\nfrom flux_cli.http.machine.certificates import tls_context\n"
        "print(tls_context('linux', stores=()).cert_store_stats()['x509'])"
    )
    done = subprocess.run(
        [*start, sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    if "unshare" in done.stderr or "mount" in done.stderr:
        pytest.skip("no namespaces here")
    assert int(done.stdout) > 50, done.stderr
