"""Content credentials signed with your own certificate; wrong files are reported early."""

import datetime as dt
import io
import json
from pathlib import Path

import pytest
from sample_images import IMAGES

c2pa = pytest.importorskip("c2pa", reason="c2pa-python, an optional extra, is not installed")

from cryptography import x509  # noqa: E402 - it comes with c2pa-python
from cryptography.hazmat.primitives import hashes, serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec, ed25519  # noqa: E402
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID  # noqa: E402

from flux_cli.core.errors import ConfigError, ImageError  # noqa: E402
from flux_cli.images.formats import FORMATS  # noqa: E402
from flux_cli.images.metadata.credentials import has_credentials  # noqa: E402
from flux_cli.images.metadata.read import read_metadata  # noqa: E402
from flux_cli.images.metadata.record import BY_ALGORITHM, BY_MODEL, SOURCE_TYPES, Record  # noqa: E402
from flux_cli.images.metadata.write import write_record  # noqa: E402
from flux_cli.images.signing import load_identity, sign  # noqa: E402

FOX = Record(
    model="flux1.1-pro-ultra",
    prompt="a fox",
    created="2026-01-02T03:04:05Z",
    tool="flux 0.1.0",
    source_type=BY_MODEL,
)
SIMPLE = ("png", "jpeg", "gif", "webp lossy", "avif")


OTHER_USES = (
    "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
    "encipher_only", "decipher_only",
)  # fmt: skip


def organization(name):
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, name)])


def certificate(subject, issuer, key, signer, *, authority=False):
    """A certificate that is valid today, with what the C2PA asks of signers."""
    now = dt.datetime.now(dt.UTC)
    usage = dict.fromkeys(OTHER_USES, False)
    builder = (
        x509.CertificateBuilder()
        .subject_name(organization(subject))
        .issuer_name(organization(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=not authority,
                key_cert_sign=authority,
                crl_sign=authority,
                **usage,
            ),
            True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    if not authority:
        builder = builder.add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False
        )
    return builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def written(path, data, mode=0o600):
    path.write_bytes(data)
    path.chmod(mode)
    return str(path)


def private(key):
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@pytest.fixture
def files(tmp_path):
    """A signer's chain and key, as files."""
    root, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    chain = certificate("Me", "Root", own, root) + certificate(
        "Root", "Root", root, root, authority=True
    )
    return written(tmp_path / "chain.pem", chain, 0o644), written(
        tmp_path / "key.pem", private(own)
    )


@pytest.mark.parametrize("name", SIMPLE)
def test_a_signed_image_is_valid_to_the_c2pa_s_own_reader_and_keeps_its_record(files, name):
    data = b"".join(write_record(IMAGES[name], FOX).pieces)
    signed = sign(data, name.split()[0], FOX, load_identity(*files))
    reader = c2pa.Reader(FORMATS[name.split()[0]].mime, io.BytesIO(signed))
    found = json.loads(reader.json())
    assert [fault["code"] for fault in found.get("validation_status", [])] == [
        "signingCredential.untrusted"
    ]
    [claim] = found["manifests"].values()
    [action] = next(each for each in claim["assertions"] if each["label"] == "c2pa.actions.v2")[
        "data"
    ]["actions"]
    assert (action["action"], action["digitalSourceType"]) == (
        "c2pa.created",
        SOURCE_TYPES + BY_MODEL,
    )
    assert action["softwareAgent"]["name"] == "flux1.1-pro-ultra"
    assert claim["claim_generator_info"][0]["name"] == "flux"
    assert has_credentials(signed)
    assert (read_metadata(signed).record, read_metadata(signed).c2pa) == (FOX, True)
    assert len(signed) < len(data) + 20_000  # no thumbnail


def test_a_signed_image_that_is_changed_afterward_is_no_longer_valid(files):
    signed = bytearray(sign(IMAGES["png"], "png", FOX, load_identity(*files)))
    signed[-20] ^= 1
    found = json.loads(c2pa.Reader("image/png", io.BytesIO(bytes(signed))).json())
    assert "assertion.dataHash.mismatch" in [fault["code"] for fault in found["validation_status"]]


def test_other_algorithms_sign_too(tmp_path):
    root, own = ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate()
    chain = certificate("Me", "Root", own, root) + certificate(
        "Root", "Root", root, root, authority=True
    )
    identity = load_identity(
        written(tmp_path / "c.pem", chain),
        written(tmp_path / "k.pem", private(own)),
        algorithm="ed25519",
    )
    assert has_credentials(
        sign(IMAGES["jpeg"], "jpeg", FOX._replace(source_type=BY_ALGORITHM), identity)
    )


def test_a_key_that_others_can_read_is_refused_with_the_cure(files):
    chain, key = files
    Path(key).chmod(0o640)
    with pytest.raises(ConfigError, match=r"can be read by others \(mode 0640\)") as raised:
        load_identity(chain, key)
    assert raised.value.hint == f"chmod 600 {key}"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("key", "key"), "has no certificate"),
        (("chain", "chain"), "has no private key"),
        (("chain", "other"), "cannot sign images"),
        (("missing", "key"), "cannot be read: No such file"),
        (("chain", "missing"), "cannot be read: No such file"),
        (("chain", "key", "rot13"), "is not one of es256"),
        (("chain", "key", "es384"), "cannot sign images"),
    ],
    ids=str,
)
@pytest.mark.usefixtures("files")
def test_files_that_cannot_sign_are_refused_before_there_is_an_image(tmp_path, words, reason):
    written(tmp_path / "other.pem", private(ec.generate_private_key(ec.SECP256R1())))
    (tmp_path / "chain.pem").chmod(0o600)
    with pytest.raises(ConfigError, match=reason) as raised:
        load_identity(*(f"{tmp_path}/{word}.pem" for word in words[:2]), *words[2:])
    assert "BEGIN" not in str(raised.value)


def test_a_key_in_the_old_form_is_refused_with_the_command_that_turns_it_into_the_new(
    files, tmp_path
):
    key = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    with pytest.raises(ConfigError, match="PKCS#8") as raised:
        load_identity(files[0], written(tmp_path / "old.pem", key))
    assert raised.value.hint.startswith("openssl pkcs8")


def test_a_certificate_of_an_authority_is_refused_as_a_signer_s(tmp_path):
    own = ec.generate_private_key(ec.SECP256R1())
    chain = written(tmp_path / "self.pem", certificate("Me", "Me", own, own, authority=True))
    with pytest.raises(ConfigError, match="cannot sign images"):
        load_identity(chain, written(tmp_path / "key.pem", private(own)))


def test_what_is_no_image_cannot_be_signed(files):
    with pytest.raises(ImageError, match="cannot be signed"):
        sign(b"no image", "png", FOX, load_identity(*files))


def test_a_limit_of_bytes_holds_for_the_signed_file(flux, files, work):
    """The signature is a part of the file, so the image in it must be that much smaller."""
    certificate, key, *_ = files
    signer = {"FLUX_SIGN_CERTIFICATE": certificate, "FLUX_SIGN_KEY": key, "FLUX_METADATA": "full"}
    formats = ("jpeg", "webp", "avif")
    words = (
        "generate",
        "a fox",
        "--offline",
        "--seed",
        "7",
        "-s",
        "1:1",
        "-o",
        "fox.{jpg,webp,avif}",
    )
    result = flux(*words, "--max-bytes", "40kB", env=signer)
    assert (result.code, len(result.out.split())) == (0, 3)
    for path, name in zip(result.out.split(), formats, strict=True):
        data = (work / path).read_bytes()
        assert len(data) <= 40_000
        assert name != "jpeg" or len(data) > 32_000  # which is where the limit is felt
        assert has_credentials(data)
        found = json.loads(c2pa.Reader(FORMATS[name].mime, io.BytesIO(data)).json())
        assert [fault["code"] for fault in found["validation_status"]] == [
            "signingCredential.untrusted"
        ]
