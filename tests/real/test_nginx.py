"""nginx between flux and the provider: TLS, compression, limits, redirects, and its own errors.

It answers errors with pages in HTML, which say nothing about the request.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.images import noise
from fakes.messages import reply
from faults.certificates import authority

from real.answers import PNG, drawn
from real.programs import Program, free_port, installed, running

pytestmark = pytest.mark.slow

# As people write them: one server with TLS, and a path for each way to be in front of a provider.
CONFIGURATION = """
daemon off;
master_process off;
pid nginx.pid;
error_log stderr;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  limit_req_zone $server_name zone=busy:1m rate=2r/s;
  limit_req_status 429;
  gzip on;
  gzip_min_length 0;
  gzip_types application/json;
  gzip_proxied any;
  client_max_body_size 100k;
  server {{
    listen 127.0.0.1:{port} ssl http2;
    ssl_certificate certificate.pem;
    ssl_certificate_key key.pem;
    location / {{ proxy_pass {upstream}; }}
    location /moved/ {{ return 308 https://127.0.0.1:{port}/v1/; }}
    location /login/ {{ return 302 https://127.0.0.1:{port}/page.html; }}
    location /busy/ {{ limit_req zone=busy burst=1 nodelay; proxy_pass {upstream}/; }}
    location /private/ {{ auth_basic "private"; auth_basic_user_file users; }}
    location /forbidden/ {{ deny all; }}
    location /closed/ {{ return 503; }}
    location /down/ {{ proxy_pass http://127.0.0.1:{nobody}/; }}
    location /slow/ {{ proxy_read_timeout 1s; proxy_pass {upstream}/; }}
  }}
}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("nginx")


@pytest.fixture(scope="module")
def nginx(upstream_of_all, folder) -> Iterator[Program]:
    command, port = installed("nginx"), free_port()
    certificate = authority().ca.issue_cert("127.0.0.1")
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    for number, part in enumerate(certificate.cert_chain_pems):
        part.write_to_path(folder / "certificate.pem", append=number > 0)
    authority().write(folder / "authority.pem")
    (folder / "users").write_text("fox:{PLAIN}secret\n")
    text = CONFIGURATION.format(port=port, upstream=upstream_of_all.origin, nobody=free_port())
    if os.geteuid() == 0:
        text = "user root;\n" + text  # the worker must be able to write into the folder
    (folder / "nginx.conf").write_text(text)
    words = (command, "-p", folder, "-c", "nginx.conf", "-e", "stderr")
    with running(*words, port=port, folder=folder) as program:
        yield program


@pytest.fixture
def ask(generate, nginx, folder):
    """Run `flux generate` against a path of nginx: `ask("/busy", "-n", "3")`."""

    def run(path: str, *words: str):
        trusted = {"SSL_CERT_FILE": str(folder / "authority.pem")}
        base = f"https://127.0.0.1:{nginx.port}{path}"
        return generate(base, "-m", "some-model", *words, env=trusted)

    return run


def test_an_image_arrives_through_tls_compression_and_buffers(ask, upstream):
    """Noise, because its base64 is as large as images are, and arrives in many parts."""
    image = noise(900)

    def large(request):
        return reply(image, content_type="image/jpeg") if request.method == "GET" else by_url

    by_url = reply({"created": 1, "data": [{"url": "/large.jpg"}]})
    upstream.answers(drawn, large)
    upstream.serves("/large.jpg", large)
    assert ask("/v1", "-o", "small.png").code == 0
    result = ask("/v1", "-o", "large.jpg")
    assert (result.code, result.lines) == (0, ["large.jpg"]), result.err
    assert (Path("small.png").read_bytes(), Path("large.jpg").read_bytes()) == (PNG, image)


def test_an_authority_that_is_not_trusted_costs_nothing(generate, nginx, upstream):
    result = generate(f"https://127.0.0.1:{nginx.port}/v1", "-m", "some-model", "--json")
    (error,) = result.json["errors"]
    assert (result.code, error["may_have_been_billed"], upstream.requests) == (1, False, [])
    assert "certificate" in error["message"]


def test_http_on_the_port_of_tls_costs_nothing(generate, nginx, upstream):
    result = generate(f"http://127.0.0.1:{nginx.port}/v1", "-m", "some-model", "--json")
    (error,) = result.json["errors"]
    assert (result.code, error["may_have_been_billed"], upstream.requests) == (1, False, [])
    assert "https://" in error["hint"]


def test_a_limit_on_requests_makes_the_run_slower_and_nothing_else(ask, upstream):
    result = ask("/busy", "-n", "4")
    assert (result.code, len(result.lines), len(upstream.paid)) == (0, 4, 4), result.err


# A path, and what it is for us: HTTP status, exit code, whether it may be billed.
PAGES = {
    "a path that is elsewhere": ("/moved", (308, 1, False)),
    "a page for people": ("/login", (302, 1, False)),
    "a password of nginx": ("/private", (401, 4, False)),
    "a gateway without an upstream": ("/down", (502, 1, True)),
    "closed": ("/closed", (503, 1, False)),
}


@pytest.mark.parametrize(("path", "expected"), PAGES.values(), ids=PAGES)
def test_a_page_of_nginx_is_told_in_one_line(ask, upstream, path, expected):
    result = ask(path, "--json", "--retries", "0")
    (error,) = result.json["errors"]
    assert (error["http_status"], result.code, error["may_have_been_billed"]) == expected, error
    assert "<" not in error["message"]
    assert upstream.paid == []


def test_a_refusal_of_nginx_is_not_blamed_on_the_key_alone(ask, upstream):
    result = ask("/forbidden", "--json")
    (error,) = result.json["errors"]
    assert (error["http_status"], error["may_have_been_billed"], upstream.paid) == (403, False, [])
    assert "page" in error["message"] + error["hint"]


def test_a_body_that_is_too_large_is_a_validation_error(ask, upstream):
    result = ask("/v1", "-p", f"note={110_000 * 'x'}", "--json")
    (error,) = result.json["errors"]
    assert (result.code, error["code"], error["http_status"]) == (1, "validation", 413)
    assert upstream.requests == []


def test_an_upstream_that_is_too_slow_for_nginx_may_have_billed(ask, upstream):
    def late(request):
        upstream.over.wait(2)
        return drawn(request)

    upstream.answers(late)
    result = ask("/slow", "--json")
    (error,) = result.json["errors"]
    assert (error["http_status"], result.code, error["may_have_been_billed"]) == (504, 1, True)
    assert len(upstream.paid) == 1


def test_an_upstream_that_breaks_off_may_have_billed(ask, upstream):
    upstream.answers(())
    result = ask("/v1", "--json")
    (error,) = result.json["errors"]
    assert (error["http_status"], result.code, error["may_have_been_billed"]) == (502, 1, True)
    assert len(upstream.paid) == 1
