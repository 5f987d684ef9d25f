"""The forms that issuers of keys and tokens have published, by issuer: docs/detectors.md has them.

A prefix is the issuer's, the length and the alphabet too. Test keys are no secrets.
"""

from __future__ import annotations

from halocline_governance.detect.secrets import judge
from halocline_governance.detect.secrets.format import (
    ALNUM,
    HEX,
    URLSAFE,
    Form,
    infix,
    shaped,
    token,
)

CLOUD: tuple[Form, ...] = (
    token("aws_access_key", "AKIA ASIA ABIA ACCA", "A-Z2-7", 16),
    token("aws_bedrock_key", "ABSK", "A-Za-z0-9+/=", (109, 269)),
    token("google_api_key", "AIza", URLSAFE, 35),
    token("google_oauth_secret", "GOCSPX-", URLSAFE, 28),
    token("google_oauth_token", "ya29.", URLSAFE, (30, 600)),
    token("google_oauth_token", "1//0", URLSAFE, (40, 200)),
    infix(
        "azure_client_secret",
        "7Q~ 8Q~",
        ("A-Za-z0-9_.~-", 3),
        "[A-Za-z0-9_.~-]{31,34}",
        judge.plain,
    ),
    infix("azure_devops_token", "AZDO", (ALNUM, 76), f"[{ALNUM}]{{4}}(?![{ALNUM}])", judge.plain),
    token("digitalocean_token", "dop_v1_ doo_v1_ dor_v1_", HEX, 64),
    token("heroku_key", "HRKU-", URLSAFE, (36, 70), check=judge.lettered),
    token("databricks_token", "dapi", HEX, 32, rest="(?:-[0-9])?"),
    token("cloudflare_key", "v1.0-", HEX, 24, rest=f"-[{HEX}]{{146}}"),
    token("alibaba_access_key", "LTAI", ALNUM, (17, 26), check=judge.lettered),
    token("vault_token", "hvs. hvb. hvr.", URLSAFE, (24, 300)),
    infix(
        "terraform_token",
        ".atlasv1.",
        (ALNUM, 14),
        f"[{URLSAFE}]{{60,70}}(?![{URLSAFE}])",
        judge.plain,
    ),
    token("doppler_token", "dp.pt. dp.st. dp.ct. dp.sa.", ALNUM, (40, 44)),
    token("pulumi_token", "pul-", HEX, 40),
    token("supabase_token", "sbp_", HEX, 40),
    token("planetscale_token", "pscale_tkn_", "A-Za-z0-9_.=-", (32, 64)),
    token("planetscale_token", "pscale_pw_", "A-Za-z0-9_.=-", (32, 64)),
    token("netlify_token", "nfp_", ALNUM, 36),
    token("fly_token", "fo1_", URLSAFE, 43),
)

CODE: tuple[Form, ...] = (
    token("github_token", "ghp_ gho_ ghu_ ghs_ ghr_", ALNUM, (36, 255), check=judge.crc62),
    token("github_token", "github_pat_", "A-Za-z0-9_", (40, 255)),
    token("gitlab_token", "glpat-", URLSAFE, (20, 300), rest=r"(?:\.[0-9a-z]{2}\.?[0-9a-z]{7,9})?"),
    token("gitlab_token", "glrt- gldt- glft-", URLSAFE, (20, 64)),
    token("gitlab_token", "glptt- glcbt- glimt-", URLSAFE, (20, 64)),
    token("bitbucket_token", "ATBB", ALNUM, 32, check=judge.lettered),
    token("atlassian_token", "ATATT3 ATCTT3", "A-Za-z0-9_=-", (100, 300)),
    token("npm_token", "npm_", ALNUM, 36, check=judge.crc62),
    token("pypi_token", "pypi-AgE", URLSAFE, (50, 255)),
    token("rubygems_token", "rubygems_", HEX, 48),
    token("nuget_key", "oy2", "a-z0-9", 43),
    token("crates_token", "cio", ALNUM, 32, check=judge.lettered),
    token("docker_token", "dckr_pat_ dckr_oat_", URLSAFE, (27, 36)),
    token("artifactory_key", "AKCp", ALNUM, 69),
    token("sentry_token", "sntryu_", HEX, 64),
    token("sentry_token", "sntrys_", "A-Za-z0-9+/=_-", (40, 400)),
    token("grafana_token", "glsa_", ALNUM, 32, rest=f"_[{HEX}]{{8}}"),
    token("newrelic_key", "NRAK- NRJS-", "A-Z0-9", 27),
    token("postman_key", "PMAK-", HEX, 24, rest=f"-[{HEX}]{{34}}"),
    token("figma_token", "figd_", URLSAFE, 40),
    token("linear_key", "lin_api_", ALNUM, 40),
    token("notion_token", "ntn_", "0-9", 11, rest=f"[{ALNUM}]{{35}}"),
    token("airtable_token", "pat", ALNUM, 14, rest=rf"\.[{HEX}]{{64}}"),
)

CHAT: tuple[Form, ...] = (
    token("slack_token", "xoxa- xoxb- xoxe- xoxo- xoxp- xoxr- xoxs-", "A-Za-z0-9-", (10, 250)),
    token("slack_token", "xapp-", "0-9", 1, rest="-A[A-Z0-9]{8,14}-[0-9]{8,16}-[0-9a-f]{64}"),
    token(
        "slack_webhook",
        "hooks.slack.com/services/T",
        "A-Z0-9",
        (6, 12),
        rest="/B[A-Z0-9]{6,12}/[A-Za-z0-9]{20,28}",
    ),
    token("discord_webhook", "discord.com/api/webhooks/", "0-9", (17, 20), rest=r"/[\w-]{60,72}"),
    token(
        "discord_webhook", "discordapp.com/api/webhooks/", "0-9", (17, 20), rest=r"/[\w-]{60,72}"
    ),
    *(
        infix(
            "telegram_token",
            ":AA",
            ("0-9", count),
            f"[{URLSAFE}]{{33}}(?![{URLSAFE}])",
            judge.lettered,
        )
        for count in (8, 9, 10)
    ),
    *(
        shaped(
            "discord_token",
            rf"[MNO][{URLSAFE}]{{{count}}}\.[{URLSAFE}]{{6}}\.",
            count + 9,
            f"[{URLSAFE}]{{27,38}}(?![{URLSAFE}])",
            judge.snowflake,
        )
        for count in (23, 25)
    ),
)

MONEY: tuple[Form, ...] = (
    token("stripe_key", "sk_live_ rk_live_", ALNUM, (16, 255)),
    token("stripe_webhook_secret", "whsec_", "A-Za-z0-9+/=", (32, 64)),
    token("square_token", "sq0atp-", URLSAFE, 22),
    token("square_token", "sq0csp-", URLSAFE, 43),
    token("square_token", "EAAA", URLSAFE, 60, check=judge.lettered),
    token("paypal_token", "access_token$production$", "0-9a-z", 16, rest=rf"\$[{HEX}]{{32}}"),
    token("shopify_token", "shpat_ shpca_ shppa_ shpss_", "0-9a-fA-F", 32),
)

MAIL: tuple[Form, ...] = (
    token("twilio_key", "SK", HEX, 32, check=judge.lettered),
    token("sendgrid_key", "SG.", URLSAFE, 22, rest=rf"\.[{URLSAFE}]{{43}}"),
    token("mailgun_key", "key-", HEX, 32, check=judge.lettered),
    infix("mailchimp_key", "-us", (HEX, 32), r"[0-9]{1,2}(?![\w])", judge.lettered),
    token("brevo_key", "xkeysib-", HEX, 64, rest=f"-[{ALNUM}]{{16}}"),
)

MODELS: tuple[Form, ...] = (
    token("model_hub_token", "hf_", "A-Za-z", (34, 40)),
    token("model_hub_token", "api_org_", "A-Za-z", 34),
    token("model_hub_token", "r8_", ALNUM, 37),
    token("model_api_key", "sk-ant- sk-proj sk-svca sk-or-v sk-admi", URLSAFE, (25, 250)),
    token("model_api_key", "sk-", ALNUM, (32, 64), check=judge.lettered),
    token("model_api_key", "gsk_", ALNUM, 52),
    token("model_api_key", "xai-", ALNUM, 80),
    token("model_api_key", "pplx-", ALNUM, 48),
)

KEYS: tuple[Form, ...] = (
    token(
        "age_secret_key",
        "AGE-SECRET-KEY-1",
        "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L",
        58,
        check=judge.bech32,
    ),
    token(
        "jwt",
        "eyJ",
        URLSAFE,
        (8, 1024),
        rest=rf"\.eyJ[{URLSAFE}]{{6,4096}}(?:\.[{URLSAFE}]{{0,1024}})?",
        check=judge.jose,
    ),
)

ISSUED = (*CLOUD, *CODE, *CHAT, *MONEY, *MAIL, *MODELS, *KEYS)
