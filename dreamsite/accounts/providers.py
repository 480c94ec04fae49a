"""Signing in through other sites: a provider is there as soon as its two keys are in the environment.

No Django here: the settings read it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from dreamsite.env import Env


@dataclass(frozen=True)
class Provider:
    """One of allauth's providers: where the sign-in form sends people, and what it asks for beyond a name."""

    id: str
    host: str
    options: dict[str, Any]

    @property
    def prefix(self) -> str:
        return f"SOCIAL_{self.id.upper()}"


PROVIDERS = (
    Provider("github", "https://github.com", {"SCOPE": ["user:email"]}),
    Provider("gitlab", "https://gitlab.com", {"SCOPE": ["read_user"]}),
    Provider("google", "https://accounts.google.com", {"SCOPE": ["openid", "email"], "OAUTH_PKCE_ENABLED": True}),
    Provider("discord", "https://discord.com", {"SCOPE": ["identify", "email"]}),
    Provider("twitch", "https://id.twitch.tv", {}),
    Provider("reddit", "https://www.reddit.com", {"SCOPE": ["identity"]}),
)


@dataclass(frozen=True)
class Configured:
    """What the environment asks for: apps to install, SOCIALACCOUNT_PROVIDERS, hosts that forms may lead to."""

    apps: list[str]
    providers: dict[str, Any]
    hosts: list[str]


def configured(env: Env) -> Configured:
    """Reads SOCIAL_<NAME>_ID and _SECRET for each provider, and SOCIAL_OIDC_* for any OpenID Connect server.

    ImproperlyConfigured where one half of a pair is missing.
    """
    found = Configured([], {}, [])
    for provider in PROVIDERS:
        if keys := _keys(env, provider.prefix):
            found.apps.append(f"allauth.socialaccount.providers.{provider.id}")
            found.providers[provider.id] = {"APPS": [keys], **provider.options}
            found.hosts.append(provider.host)
    if keys := _keys(env, "SOCIAL_OIDC"):
        url, name = env.text("SOCIAL_OIDC_URL"), env.text("SOCIAL_OIDC_NAME", "OpenID Connect")
        parts = urlsplit(url)
        if parts.scheme != "https" and parts.hostname not in ("localhost", "127.0.0.1"):
            raise ImproperlyConfigured(f"SOCIAL_OIDC_URL: received {url!r}, expected the https address of the server.")
        app = {"provider_id": "oidc", "name": name, "settings": {"server_url": url}, **keys}
        found.apps.append("allauth.socialaccount.providers.openid_connect")
        found.providers["openid_connect"] = {"APPS": [app], "OAUTH_PKCE_ENABLED": True}
        found.hosts.append(f"{parts.scheme}://{parts.netloc}")
    return found


def _keys(env: Env, prefix: str) -> dict[str, str] | None:
    client, secret = env.text(f"{prefix}_ID"), env.secret(f"{prefix}_SECRET")
    if bool(client) != bool(secret):
        raise ImproperlyConfigured(f"{prefix}_ID and {prefix}_SECRET belong together: only one of them is set.")
    return {"client_id": client, "secret": secret} if client else None
