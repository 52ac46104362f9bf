"""Which addresses get the key, and which images are downloaded, despite hostile answers."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flux_cli.core.auth import Auth
from flux_cli.core.errors import ProviderError
from flux_cli.core.text import Secret
from flux_cli.http.trust import credentials, host_and_port, is_same_origin, media_address

KEY = "sk-0123456789abcdef"
BFL = Auth(Secret(KEY), "BFL_API_KEY", "https://api.bfl.ai", "x-key", "", ("*.bfl.ai",))
FAL = Auth(
    Secret(KEY),
    "FAL_KEY",
    "https://queue.fal.run",
    "Authorization",
    "Key ",
    ("fal.run", "queue.fal.run"),
)
LOCAL = Auth(Secret(KEY), "FLUX_API_KEY", "http://127.0.0.1:8080/v1", "Authorization", "Bearer ")


@pytest.mark.parametrize(
    ("auth", "url"),
    [
        (BFL, "https://api.bfl.ai/v1/get_result?id=1"),
        (BFL, "https://api.us1.bfl.ai/v1/get_result?id=1"),
        (BFL, "https://API.EU2.BFL.AI/x"),
        (BFL, "https://gateway.bfl.ai:443/x"),
        (FAL, "https://queue.fal.run/fal-ai/flux-pro/requests/1/status"),
        (FAL, "https://fal.run/x"),
        (LOCAL, "http://127.0.0.1:8080/v1/images/generations"),
        (LOCAL, "http://127.0.0.1:8080/other"),
    ],
)
def test_the_key_goes_to_the_configured_address_and_the_provider_s_own_hosts(auth, url):
    assert credentials(url, auth) == {auth.header: f"{auth.prefix}{KEY}"}


@pytest.mark.parametrize(
    ("auth", "url"),
    [
        (BFL, "https://bfl.ai.evil.example/x"),
        (BFL, "https://evilbfl.ai/x"),
        (BFL, "https://evil-bfl.ai/x"),
        (BFL, "https://evil.example/api.bfl.ai"),
        (BFL, "https://evil.example/?x=.bfl.ai"),
        (BFL, "https://evil.example#.bfl.ai"),
        (BFL, "https://evil.example?.bfl.ai"),
        (BFL, "https://evil.example\\.bfl.ai/x"),
        (BFL, "https://evil.example%2f.bfl.ai/x"),
        (BFL, "https://evil.example\uff0f.bfl.ai/x"),
        (BFL, "http://api.bfl.ai/x"),
        (BFL, "http://api.us1.bfl.ai/x"),
        (BFL, "ftp://api.bfl.ai/x"),
        (BFL, "https://api.us1.bfl.ai:8443/x"),
        (BFL, "https://api.bfl.ai:99999/x"),
        (BFL, "https://api.bfl.ai:x/x"),
        (BFL, "https://user@api.bfl.ai/x"),
        (BFL, "https://user:pass@api.bfl.ai/x"),
        (BFL, "https://api.bfl.ai@evil.example/x"),
        (BFL, "https://delivery.blob.core.windows.net/x"),
        (BFL, "//api.bfl.ai/x"),
        (BFL, "\x00https://api.bfl.ai/x"),
        (BFL, "https://api.bfl\n.ai/x"),
        (BFL, "/v1/get_result"),
        (BFL, ""),
        (BFL, "https://"),
        (BFL, "https://[::1/x"),
        (FAL, "https://evil.fal.run/x"),  # no star, no names below it
        (FAL, "https://fal.run.evil.example/x"),
        (FAL, "https://v3.fal.media/files/x.jpg"),
        (LOCAL, "http://127.0.0.1:8081/v1"),
        (LOCAL, "http://127.0.0.2:8080/v1"),
        (LOCAL, "https://127.0.0.1:8080/v1"),
        (LOCAL, "http://localhost:8080/v1"),
    ],
)
def test_no_other_address_gets_the_key(auth, url):
    with pytest.raises(ProviderError, match="must not get the key") as raised:
        credentials(url, auth)
    assert raised.value.billed  # the job was taken on: its image may be paid for
    assert KEY not in raised.value.message


def test_without_a_key_there_is_nothing_to_keep():
    assert credentials("https://anywhere.example", None) == {}


@given(
    st.text(max_size=20) | st.text("bfl.ai@:/\\?#%evx[]", max_size=20),
    st.sampled_from(
        ["https://{}", "https://{}.bfl.ai", "https://api.bfl.ai{}", "https://{}/.bfl.ai", "{}"]
    ),
)
def test_any_address_with_the_key_has_a_host_of_plain_labels_below_bfl_ai(text, form):
    url = form.format(text)
    try:
        credentials(url, BFL)
    except ProviderError:
        return
    host = (
        url.partition("://")[2]
        .partition("/")[0]
        .partition("?")[0]
        .partition("#")[0]
        .partition(":")[0]
        .lower()
    )
    assert host.endswith(".bfl.ai")
    assert all(char.isalnum() or char in "-._" for char in host)


BASE = "https://api.lumenfall.ai/openai/v1"
OWN = "laptop"  # this machine
LOCAL_BASE = "http://127.0.0.1:8080/v1"


@pytest.mark.parametrize(
    ("url", "base", "address"),
    [
        ("https://cdn.example/fox.png?sig=1", BASE, "https://cdn.example/fox.png?sig=1"),
        (" https://cdn.example/fox.png\n", BASE, "https://cdn.example/fox.png"),
        ("HTTPS://cdn.example/fox.png", BASE, "https://cdn.example/fox.png"),
        ("//cdn.example/fox.png", BASE, "https://cdn.example/fox.png"),
        (
            "/v1/images/1/content?variant=0",
            BASE,
            "https://api.lumenfall.ai/v1/images/1/content?variant=0",
        ),
        ("images/1", BASE, "https://api.lumenfall.ai/openai/v1/images/1"),
        ("/generated-images/b64.png", LOCAL_BASE, "http://127.0.0.1:8080/generated-images/b64.png"),
        ("http://127.0.0.1:9000/fox.png", LOCAL_BASE, "http://127.0.0.1:9000/fox.png"),
        ("https://cdn.example/fox.png", LOCAL_BASE, "https://cdn.example/fox.png"),
    ],
)
def test_an_image_s_address_may_be_absolute_or_relative(url, base, address):
    assert media_address(url, base, OWN) == address


@pytest.mark.parametrize(
    "url",
    [
        "http://cdn.example/fox.png",  # in the clear, where the server itself is not
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "ftp://cdn.example/fox.png",
        "javascript:alert(1)",
        "mailto:a@example.org",
        "https://user@cdn.example/fox.png",
        "https://user:pass@cdn.example/fox.png",
        "https://[::1/fox.png",
        "https://cdn.example\uff0fevil/fox.png",
        "https://cdn.example\u3002org/fox.png",
        "https://cdn example/fox.png",
        "https://cdn.example%2f/fox.png",
    ],
)
def test_addresses_nobody_can_mean_honestly_are_refused(url):
    with pytest.raises(ProviderError, match="cannot be trusted") as raised:
        media_address(url, BASE, OWN)
    assert raised.value.billed


INWARD = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0x7F.1",
    "0177.0.0.1",
    "017700000001",
    "0.0.0.0",
    "0",
    "[::1]",
    "[::]",
    "localhost",
    "LOCALHOST.",
    "a.localhost",
    "printer.local",
    "metadata.google.internal",
    "nas.home.arpa",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.0.1",
    "100.64.0.1",
    "169.254.169.254",
    "2852039166",
    "[fe80::1]",
    "[fd00::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:a9fe:a9fe]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "224.0.0.1",
    "[ff02::1]",
    "255.255.255.255",
    "0x0a.1",
    "intranet",
    "instance-data",
    "INTRANET.",
    "08",
]


@pytest.mark.parametrize("host", INWARD)
def test_a_server_on_the_internet_cannot_point_inward(host):
    """Loopback, private networks and the metadata address of clouds, however they are spelled."""
    with pytest.raises(ProviderError, match="cannot be trusted"):
        media_address(f"https://{host}/fox.png", BASE, OWN)


@pytest.mark.parametrize("host", INWARD)
@pytest.mark.parametrize(
    "base", [LOCAL_BASE, "https://localhost/v1", "https://10.1.2.3/v1", "http://gpu/v1"]
)
def test_a_server_at_home_may(host, base):
    assert media_address(f"https://{host}/fox.png", base, OWN) == f"https://{host}/fox.png"


@pytest.mark.parametrize(
    "host",
    [
        "8.8.8.8",
        "134744072",
        "[2606:4700::1111]",
        "[64:ff9b::808:808]",
        "local.example",
        "08.8.8.8",
        "1.2.3.4.5",
    ],
)
def test_what_only_looks_like_an_address_inside_is_fetched(host):
    assert media_address(f"https://{host}/fox.png", BASE, OWN) == f"https://{host}/fox.png"


def test_this_machine_s_own_name_is_no_public_host():
    url = "https://build-7.CORP.example/fox.png"
    with pytest.raises(ProviderError, match="cannot be trusted"):
        media_address(url, BASE, "Build-7.corp.example")
    assert media_address(url, BASE, "build-8.corp.example") == url
    own = "https://build-7.corp.example/v1"
    for named in (url, "https://intranet/fox.png"):
        assert media_address(named, own, "build-7.corp.example") == named


def test_a_gateway_with_a_bare_name_may_name_itself():
    assert media_address("/fox.png", "https://gateway/v1", OWN) == "https://gateway/fox.png"


@given(st.integers(0, 2**32 - 1), st.integers(0, 3))
def test_every_spelling_of_a_number_is_judged_alike(number, shape):
    """`a.b.c.d`, one number, hexadecimal and octal parts all mean the same host to resolvers."""
    from ipaddress import IPv4Address

    octets = [number >> shift & 255 for shift in (24, 16, 8, 0)]
    spelled = (
        ".".join(map(str, octets)),
        str(number),
        ".".join(map(hex, octets)),
        ".".join(f"0{octet:o}" for octet in octets),
    )[shape]
    address = IPv4Address(number)
    try:
        media_address(f"https://{spelled}/fox.png", BASE, OWN)
    except ProviderError:
        assert not address.is_global or address.is_multicast
    else:
        assert address.is_global
        assert not address.is_multicast


@example("\x00https://cdn.example/fox.png")
@example("ht\ntps://cdn.example/fox.png")
@given(st.text(max_size=40) | st.text("htps:/@?#[].1:80example \\", max_size=40))
def test_any_address_is_absolute_and_safe_or_refused(url):
    for base, schemes in ((BASE, ("https://",)), (LOCAL_BASE, ("https://", "http://"))):
        try:
            address = media_address(url, base, OWN)
        except ProviderError:
            continue
        assert address.lower().startswith(schemes)
        assert address.isprintable()


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://a.example:8080/x", "a.example:8080"),
        ("nonsense", "nonsense"),
        ("https://[::1", "https://[::1"),
        ("", ""),
    ],
)
def test_messages_name_host_and_port(url, host):
    assert host_and_port(url) == host


@pytest.mark.parametrize(
    ("base", "url", "address"),
    [
        ("https://a.example/v1", "http://a.example/p?x=1", "https://a.example/p?x=1"),
        ("https://a.example:8443/v1", "http://a.example/p", "https://a.example:8443/p"),
        ("https://a.example:8443/v1", "http://a.example:8443/p", "https://a.example:8443/p"),
        ("https://a.example/v1", "http://A.example:8080/p", "https://a.example/p"),
        ("https://[::1]:8443/v1", "http://[::1]/p", "https://[::1]:8443/p"),
        ("http://a.example/v1", "http://a.example/p", "http://a.example/p"),
        ("https://a.example/v1", "https://a.example:1/p", "https://a.example:1/p"),
    ],
)
def test_an_image_on_the_server_itself_is_fetched_as_safely_as_the_server_is_reached(
    base, url, address
):
    """Servers behind a proxy often do not know that they are reached over https."""
    assert media_address(url, base, "me") == address


@pytest.mark.parametrize(
    "url", ["http://b.example/p", "http://a.example.evil/p", "http://u:p@a.example/p"]
)
def test_no_other_address_becomes_https(url):
    with pytest.raises(ProviderError, match="trusted"):
        media_address(url, "https://a.example/v1", "me")


@pytest.mark.parametrize(
    ("url", "is_same"),
    [
        ("https://a.example/p", True),
        ("https://a.example:443/p", True),
        ("https://A.example/p", True),
        ("https://a.example:8443/p", False),
        ("http://a.example/p", False),
        ("https://b.a.example/p", False),
        ("https://a.example.evil/p", False),
        ("https://a.example@evil.example/p", False),
        ("https://u@a.example/p", False),
        ("https://[::1/p", False),
        ("/p", False),
    ],
)
def test_the_same_origin_is_scheme_host_and_port(url, is_same):
    assert is_same_origin(url, "https://a.example/v1") is is_same
