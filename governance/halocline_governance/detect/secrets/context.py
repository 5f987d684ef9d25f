"""Secrets that have no form of their own: what stands before them tells what they are."""

from __future__ import annotations

from halocline_governance.detect.secrets import judge
from halocline_governance.detect.secrets.format import ALNUM, HEX, TOKEN, Form, beside, opening

_T = TOKEN.decode()
# Words for a secret; those of other alphabets without a case.
_PASSWORD = (
    r"passw(?:or)?d|passwd|passphrase|passcode|\bpwd|passwort|kennwort|contrase(?:\xc3\xb1|n)a"
    r"|mot[ _-]?de[ _-]?passe|senha|wachtwoord|parola|has\xc5\x82o|haslo|l\xc3\xb6senord|sifre"
    r"|\xc5\x9fifre"
)
_SECRET = (
    r"secret|credentials?|token|api[_-]?key|key|geheim(?:nis)?|schl(?:\xc3\xbc|ue)ssel|clave|chiave"
    r"|segredo|secreto|segreto|cl(?:\xc3\xa9|e)"
)
_UNCASED = ("пароль", "Пароль", "секрет", "ключ", "密码", "密碼", "口令", "密钥", "秘钥", "金鑰")
_MORE = ("パスワード", "秘密鍵", "비밀번호", "암호", "كلمة المرور", "סיסמה", "पासवर्ड")


def _bytes(words: str) -> str:
    """Bytes spelt as escapes, so that one pattern of bytes holds any script."""
    return "".join(c if ord(c) < 128 else "".join(f"\\x{b:02x}" for b in c.encode()) for c in words)


_OTHER_SCRIPTS = "|".join(map(_bytes, (*_UNCASED, *_MORE)))
_QUOTE = "[\"'`]"
_JOIN = (
    rf"[\w.-]{{0,24}}(?:\]|{_QUOTE}|\\{_QUOTE}){{0,2}}[ \t]{{0,3}}"
    rf"(?:=>|:=|={{1,2}}|:|\xef\xbc\x9a|>)[ \t]{{0,3}}(?:(?:[bBrRuUfF]{{1,2}}|\\)?{_QUOTE})?"
)
_SAID = r"[ \t]{1,2}(?:is|was|are|ist|lautet|es|est|era|:)[ \t:]{1,3}(?:[\"'`])?"
_OPTION = r"[ \t]{1,3}[\"']?"


def _named(words: str) -> str:
    return rf"(?:(?i:{words})|{_OTHER_SCRIPTS})"


_SCHEMES = (
    "postgres postgresql mysql mariadb mongodb mongodb+srv redis rediss amqp amqps mssql sqlserver"
    " oracle clickhouse cockroachdb snowflake neo4j nats kafka couchdb cassandra ldap ldaps smtp"
    " smtps"
)
"""Schemes of databases, queues and directories; any URL with credentials is `pii`'s."""

BESIDE: tuple[Form, ...] = (
    beside(
        "aws_secret_key",
        rf"(?i:aws|secret_?access_?key)[\w .-]{{0,24}}{_JOIN}",
        "A-Za-z0-9/+",
        40,
        r"[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])",
        judge.lettered,
    ),
    beside(
        "azure_storage_key",
        r"(?i:(?:account|shared_?access_?|primary|secondary)key)[\"']?[ \t]?[=:][ \t]?[\"']?",
        "A-Za-z0-9/+",
        42,
        r"[A-Za-z0-9/+]{42,86}={1,2}(?![A-Za-z0-9/+=])",
        judge.lettered,
    ),
    beside(
        "azure_sas_signature",
        r"(?i:[?&]sig=)",
        "A-Za-z0-9%/+",
        40,
        r"[A-Za-z0-9%/+]{40,80}=?(?![A-Za-z0-9%/+])",
        judge.lettered,
    ),
    beside(
        "twilio_auth_token",
        rf"(?i:twilio|auth_?token)[\w -]{{0,16}}{_JOIN}",
        HEX,
        32,
        rf"[{HEX}]{{32}}(?![{ALNUM}])",
        judge.lettered,
    ),
    beside(
        "heroku_key",
        rf"(?i:heroku)[\w -]{{0,24}}{_JOIN}",
        "0-9a-fA-F-",
        36,
        r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}(?![\w-])",
        judge.plain,
    ),
    beside(
        "basic_auth",
        r"(?i:\bbasic)[ \t]{1,3}",
        "A-Za-z0-9+/",
        6,
        r"[A-Za-z0-9+/]{6,400}={0,2}(?![A-Za-z0-9+/=])",
        judge.basic,
    ),
    beside(
        "docker_auth",
        r"[\"']auth[\"'][ \t]{0,2}:[ \t\r\n]{0,4}[\"']",
        "A-Za-z0-9+/",
        6,
        r"[A-Za-z0-9+/]{6,400}={0,2}(?![A-Za-z0-9+/=])",
        judge.basic,
    ),
    beside(
        "kubeconfig_key",
        r"client-key-data[\"']?[ \t]{0,2}:[ \t\r\n]{0,16}[\"']?",
        "A-Za-z0-9+/",
        64,
        r"[A-Za-z0-9+/]{64,8192}={0,2}",
        judge.wrapped_key,
    ),
    beside(
        "bearer_token",
        r"(?i:\bbearer)[ \t]{1,3}",
        "A-Za-z0-9._~+/=-",
        20,
        r"[A-Za-z0-9._~+/=-]{20,2048}",
        judge.lettered,
    ),
    beside(
        "connection_string",
        r"(?i:jdbc:|;|;[ \t]|[?&])(?i:password|pwd)[ \t]?=[ \t]?",
        _T,
        4,
        rf"[{_T.replace('&', '')}]{{4,128}}",
        judge.in_connection,
    ),
    beside(
        "netrc_password",
        r"(?:machine[ \t]{1,4}[\w.-]{1,80}|default)[ \t\r\n]{1,16}login[ \t]{1,4}[\w.@+-]{1,80}"
        r"[ \t\r\n]{1,16}password[ \t]{1,4}",
        _T,
        4,
        rf"[{_T}]{{4,128}}",
        judge.in_connection,
    ),
    beside(
        "generic_secret",
        rf"{_named(_PASSWORD + '|' + _SECRET)}(?:{_JOIN}|{_SAID})",
        "A-Za-z0-9+/_.~-",
        20,
        r"[A-Za-z0-9+/_.~-]{20,200}={0,2}(?![A-Za-z0-9+/_=~-])",
        judge.generic,
    ),
    beside(
        "password",
        rf"{_named(_PASSWORD)}(?:{_JOIN}|{_SAID})",
        _T,
        8,
        rf"[{_T}]{{8,64}}(?![{_T}])",
        judge.password,
    ),
    beside(
        "generic_secret",
        rf"--(?:[a-z-]{{0,16}})(?:password|token|secret|api-key){_OPTION}",
        "A-Za-z0-9+/_.~-",
        20,
        r"[A-Za-z0-9+/_.~-]{20,200}={0,2}(?![A-Za-z0-9+/_=~-])",
        judge.generic,
    ),
)

_USER = r"[\w.%+*!$&=~-]{0,80}"
_WORD = r"[\w.%+*!$&=~#?:-]{1,128}"
_PLACE = r"[A-Za-z0-9][\w.:-]{0,200}(?:/[\w-]{1,64})?"

URLS: tuple[Form, ...] = tuple(
    opening("connection_string", f"{scheme}://", f"{_USER}:{_WORD}@{_PLACE}", judge.in_url)
    for scheme in _SCHEMES.split()
)
