"""Secrets by kind: what is found, what nearly is one, and what a change makes of it.

Every value is put together here at run time, so that nobody's scanner takes this file for a leak.
"""

from __future__ import annotations

import base64
import json
import random
import zlib

import pytest

from halocline_governance.detect.secrets import KINDS, SecretDetector, judge
from halocline_governance.detect.secrets.detector import FORMS

SECRETS = SecretDetector()
RNG = random.Random(6)
LOWER, DIGITS = "abcdefghijklmnopqrstuvwxyz", "0123456789"
UPPER = LOWER.upper()
ALNUM, HEX, URL = LOWER + UPPER + DIGITS, DIGITS + "abcdef", LOWER + UPPER + DIGITS + "-_"


def some(chars: str, count: int) -> str:
    return "".join(RNG.choice(chars) for _ in range(count))


def base(text: str | bytes) -> str:
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


def checked(prefix: str) -> str:
    """GitHub's: 30 characters and their CRC-32 as six digits to the base 62."""
    body = some(ALNUM, 30)
    number, tail = zlib.crc32(body.encode()), ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        tail = (DIGITS + UPPER + LOWER)[digit] + tail
    return prefix + body + tail


def pem(label: str, size: int = 300) -> str:
    lines = base64.encodebytes(RNG.randbytes(size)).decode()
    return f"-----BEGIN {label}PRIVATE " + f"KEY-----\n{lines}-----END {label}PRIVATE " + "KEY-----"


PREFIXED = """
aws_access_key AKIA upper7 16|aws_bedrock_key ABSK alnum 120|google_api_key AIza url 35
google_oauth_secret GOCSPX- url 28|google_oauth_token ya29. url 90|digitalocean_token dop_v1_ hex 64
heroku_key HRKU- alnum 60|databricks_token dapi hex 32|alibaba_access_key LTAI alnum 20
vault_token hvs. url 90|doppler_token dp.pt. alnum 43|pulumi_token pul- hex 40
supabase_token sbp_ hex 40|planetscale_token pscale_tkn_ alnum 43|netlify_token nfp_ alnum 36
fly_token fo1_ url 43|gitlab_token glpat- url 20|gitlab_token glptt- hex 40
bitbucket_token ATBB alnum 32|atlassian_token ATATT3 url 180|pypi_token pypi-AgEIcHlwaS5vcmc url 150
rubygems_token rubygems_ hex 48|nuget_key oy2 base36 43|crates_token cio alnum 32
docker_token dckr_pat_ url 27|artifactory_key AKCp alnum 69|sentry_token sntryu_ hex 64
newrelic_key NRAK- base36up 27|figma_token figd_ url 40|linear_key lin_api_ alnum 40
stripe_key sk_live_ alnum 24|stripe_webhook_secret whsec_ alnum 32|square_token sq0atp- url 22
shopify_token shpat_ hex 32|twilio_key SK hex 32|mailgun_key key- hex 32
model_hub_token hf_ letters 34|model_api_key sk-proj- url 74
model_api_key gsk_ alnum 52|github_token github_pat_ alnum 82
"""
ALPHABETS = {
    "upper7": UPPER + "234567",
    "alnum": ALNUM,
    "url": ALNUM,
    "hex": HEX,
    "base36": LOWER + DIGITS,
    "base36up": UPPER + DIGITS,
    "letters": LOWER + UPPER,
}
SHORT: list[tuple[str, str]] = [
    (kind, prefix + some(ALPHABETS[chars], int(size)))
    for row in PREFIXED.strip().replace("\n", "|").split("|")
    for kind, prefix, chars, size in [row.split()]
]
MADE: list[tuple[str, str]] = [
    ("azure_client_secret", some(ALNUM, 3) + "8Q~" + some(ALNUM, 34)),
    ("azure_devops_token", some(ALNUM, 76) + "AZDO" + some(ALNUM, 4)),
    ("cloudflare_key", "v1.0-" + some(HEX, 24) + "-" + some(HEX, 146)),
    ("terraform_token", some(ALNUM, 14) + ".atlasv1." + some(ALNUM, 67)),
    ("github_token", checked("ghp_")),
    ("npm_token", checked("npm_")),
    ("grafana_token", "glsa_" + some(ALNUM, 32) + "_" + some(HEX, 8)),
    ("postman_key", "PMAK-" + some(HEX, 24) + "-" + some(HEX, 34)),
    ("notion_token", "ntn_" + some(DIGITS, 11) + some(ALNUM, 35)),
    ("airtable_token", "pat" + some(ALNUM, 14) + "." + some(HEX, 64)),
    ("slack_token", "xoxb-" + some(DIGITS, 12) + "-" + some(ALNUM, 24)),
    ("slack_webhook", "hooks.slack.com/services/T" + "01ABCDEF/B02ABCDEF/" + some(ALNUM, 24)),
    ("discord_webhook", "discord.com/api/webhooks/" + some(DIGITS, 18) + "/" + some(ALNUM, 68)),
    ("telegram_token", "5" + some(DIGITS, 9) + ":AA" + some(ALNUM, 33)),
    ("discord_token", base("4" + some(DIGITS, 17)) + "." + some(ALNUM, 6) + "." + some(ALNUM, 27)),
    ("paypal_token", "access_token$production$" + some(HEX, 16) + "$" + some(HEX, 32)),
    ("sendgrid_key", "SG." + some(ALNUM, 22) + "." + some(ALNUM, 43)),
    ("mailchimp_key", some(HEX, 32) + "-us14"),
    ("brevo_key", "xkeysib-" + some(HEX, 64) + "-" + some(ALNUM, 16)),
    (
        "jwt",
        base('{"alg":"RS256"}').rstrip("=") + "." + base('{"sub":"a7"}') + "." + some(ALNUM, 43),
    ),
    ("private_key", pem("RSA ")),
    ("private_key", pem("ENCRYPTED ")),
    ("private_key", pem("OPENSSH ")),
    ("private_key", json.dumps(pem(""))[1:-1]),
    ("connection_string", "postgres://app:" + "zK4x9Qw2@db.internal:5432/prod"),
    ("connection_string", "mongodb+srv://app:" + "zK4x9Qw2@c0.internal/prod"),
]
FOUND = [(kind, value.rstrip("=")) for kind, value in (*SHORT, *MADE)]
# What tells these is what stands before them.
BESIDE = [
    ("aws_secret_key", "aws_secret_access_key = ", some(ALNUM, 39) + "7"),
    ("azure_storage_key", "AccountKey=", base(RNG.randbytes(64))),
    ("azure_sas_signature", "?sv=2024-01-01&sig=", some(ALNUM, 43)),
    ("twilio_auth_token", "TWILIO_AUTH_TOKEN=", some(HEX, 32)),
    ("heroku_key", "HEROKU_API_KEY=", "9f2c1b7a-3d4e-4a6b-8c1d-2e5f7a9b0c3d"),
    ("basic_auth", "Authorization: Basic ", base("svc:" + some(ALNUM, 12))),
    ("docker_auth", '"auth": "', base("ci:" + some(ALNUM, 14))),
    ("kubeconfig_key", "client-key-data: ", base(pem("RSA "))),
    ("bearer_token", "Authorization: Bearer ", some(ALNUM, 40)),
    ("connection_string", "jdbc:sqlserver://h;user=u;password=", "k4Jx" + "9Qw2"),
    ("netrc_password", "machine git.internal\n  login ci\n  password ", "k4Jx" + "9Qw2"),
    ("generic_secret", "api_key = '", some(ALNUM, 23) + "7"),
    ("generic_secret", "deploy --token ", some(ALNUM, 23) + "7"),
    ("password", 'password: "', "Tr0ub4" + "dor&3x"),
    ("password", "DB_PASSWORD=", "k4Jx!" + "9Qw2"),
    ("password", "contrase\u00f1a = ", "k4Jx!" + "9Qw2"),
    ("password", "\u043f\u0430\u0440\u043e\u043b\u044c: ", "k4Jx!" + "9Qw2"),
    ("password", "\u5bc6\u7801\uff1a", "k4Jx!" + "9Qw2"),
    ("password", "Your new password is ", "k4Jx!" + "9Qw2"),
]
BESIDE.append(("age_secret_key", "# secret: ", ""))


def bech32(prefix: str, data: str) -> str:
    """The checksum of BIP 173, by its definition as a polynomial over GF(32)."""
    letters = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
    values = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    values += [letters.index(c) for c in data] + [0] * 6
    check = 1
    for value in values:
        top = check >> 25
        check = ((check & 0x1FFFFFF) << 5) ^ value
        for bit, factor in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= factor * (top >> bit & 1)
    return prefix + "1" + data + "".join(letters[(check ^ 1) >> 5 * (5 - i) & 31] for i in range(6))


AGE = bech32("age-secret-key-", some("qpzry9x8gf2tvdw0s3jn54khce6mua7l", 52)).upper()
BESIDE[-1] = ("age_secret_key", "# secret: ", AGE)


@pytest.mark.parametrize(("kind", "value"), FOUND)
@pytest.mark.parametrize("line", ["{}", "use {} here", "\u00e9t\u00e9: '{}',", "x=<{}>\n"])
def test_a_published_form_is_found_whole(kind: str, value: str, line: str) -> None:
    text = line.format(value).encode()

    (span,) = SECRETS.scan(text.decode()).spans

    assert (span.kind, text[span.start : span.end].decode()) == (kind, value)


@pytest.mark.parametrize(("kind", "before", "value"), BESIDE)
def test_a_secret_is_found_by_what_stands_before_it(kind: str, before: str, value: str) -> None:
    text = f"{before}{value}".encode()

    (span,) = SECRETS.scan(text.decode()).spans

    assert (span.kind, text[span.start : span.end].decode()) == (kind, value)
    if kind != "age_secret_key":
        assert SECRETS.scan(f"colour {value}").spans == ()


def test_every_kind_has_an_example() -> None:
    assert {kind for kind, _ in FOUND} | {kind for kind, _, _ in BESIDE} == set(KINDS)
    assert SECRETS.kinds == set(KINDS)


FIXED = {"private_key", "jwt", "connection_string", "sentry_token", "slack_token", "discord_token"}


@pytest.mark.parametrize(("kind", "value"), [row for row in FOUND if row[0] not in FIXED])
def test_a_form_that_is_too_short_or_glued_to_a_word_is_none(kind: str, value: str) -> None:
    least = min(form.width for form in FORMS if form.kind == kind)

    for text in (value[: least - 1], f"word{value}" if value[0].isalnum() else value[:4]):
        assert kind not in SECRETS.scan(text).findings


@pytest.mark.parametrize(
    "text",
    [
        "AKIA" + "IOSFODNN7EXAMPLE",
        "ghp_" + "x" * 36,
        "glpat-" + "your-token-goes-here",
        "password = correct-horse-battery-staple",
        "password = os.environ['DB_PASSWORD_2']",
        "token: aaaaaaaaaaaaaaaaaaaa1111",
        "token = self.get_phi2_torch_inputs_for(3)",
        "secret: ${{ secrets.DEPLOY_TOKEN_V2 }}",
        "checksum = f3J9kLm2Qx8Zr5Tv1Yw7",
        "cache_key: " + "9e107d9d372bb6826bd81d3542a419d6",
        "the eyJunk.eyJunkjunkjunk thing",
        "ghp_short and xoxb-1",
        "sha256:9bd16790b1c84fcd2f3e8b5f7a6c1d2e3f4a5b6c",
        "api_key = 123e4567-e89b-12d3-a456-426614174000",
        '"integrity": "sha512-' + base(bytes(range(64))) + '"',
        "key=iVBOR" + "w0KGgoAAAANSUhEUgAAAAUA1234",
        "-----BEGIN PUBLIC "
        + "KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A\n-----END PUBLIC KEY-----",
        "A file with -----BEGIN RSA PRIVATE " + "KEY----- in its first line is a key.",
        "Basic authentication is used",
        "postgres://postgres:postgres@localhost/x",
        "postgres://user:${DB_PASS}@localhost/x",
        "Keep the secret: rotate your passwords monthly",
        "primary key: order_2021_north_region_17",
    ],
)
def test_near_misses(text: str) -> None:
    assert SECRETS.scan(text).findings == {}


@pytest.mark.parametrize("prefix", ["ghp_", "npm_"])
def test_a_checksum_makes_it_surer(prefix: str) -> None:
    good = checked(prefix)
    bad = good[:-1] + ("a" if good[-1] != "a" else "b")

    assert SECRETS.scan(good).spans[0].score > 0.95 > SECRETS.scan(bad).spans[0].score


def test_published_vectors() -> None:
    """BIP 173's valid and invalid strings, RFC 7617's users, RFC 7519's token."""
    assert judge.bech32(b"A12UEL5L", b"")
    assert judge.bech32(
        b"an83characterlonghumanreadablepartth"
        b"atcontainsthenumber1andtheexcludedcharactersbio1tt5tgs",
        b"",
    )
    assert not judge.bech32(b"A12UEL5X", b"")
    assert judge.basic(b"QWxhZGRpbjpvcGVuIHNlc2FtZQ==", b"")
    assert judge.basic(b"dGVzdDoxMjPCow==", b"")
    assert judge.jose(b"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9" + b".eyJpc3MiOiJqb2UifQ", b"")
    assert not judge.jose(base("[1]").encode(), b"")


def test_a_wrong_age_key_is_none() -> None:
    swapped = AGE[:-2] + AGE[-1] + AGE[-2] if AGE[-1] != AGE[-2] else AGE[:-1] + "Q"

    assert SECRETS.scan(swapped).findings == {}


@pytest.mark.parametrize(
    ("value", "random"),
    [
        ("f3J9kLm2Qx8Zr5Tv1Yw7", True),
        ("getAccessTokenFromRequest2", False),
        ("correct-horse-battery-staple-9", False),
        ("12345678901234567890", False),
    ],
)
def test_random_text_is_told_from_words(value: str, random: bool) -> None:
    assert judge.is_random(value.encode(), 3.5) is random
