"""Passkeys in a real browser, under the site's own policy: added, used as the only thing, used as the second step."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, expect

from tests.running import PASSWORD, RunningSite

pytestmark = pytest.mark.browser
DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def test_a_passkey_signs_in_and_is_the_second_step(browser: Browser, make_site: Callable[..., RunningSite]) -> None:
    site = make_site()
    # Browsers keep no keys for bare addresses, and the site answers by the one address that it has.
    site.url = url = f"http://localhost:{site.port}"
    site.env["SITE_URL"] = url
    site.start_web()
    site.browser().sign_up("Kay")
    context = browser.new_context()
    page, refused = context.new_page(), []
    page.on("console", lambda message: refused.append(message.text) if "Content Security" in message.text else None)
    device = context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    device.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})

    def sign_in_with_the_password() -> None:
        page.goto(f"{url}/accounts/login/?next=/account/")
        page.get_by_label("Name").fill("Kay")
        page.get_by_label("Password").fill(PASSWORD)
        page.locator("main").get_by_role("button", name="Sign in").click()

    sign_in_with_the_password()
    expect(page).to_have_url(f"{url}/account/")
    page.goto(f"{url}/accounts/2fa/webauthn/add/")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Add it").click()
    expect(page).to_have_url(re.compile("/accounts/2fa/(recovery-codes/|webauthn/)?$"))
    page.goto(f"{url}/accounts/2fa/webauthn/")
    expect(page.locator("main li")).to_contain_text("passkey")

    page.goto(f"{url}/account/")
    page.locator("main").get_by_role("button", name="Sign out").click()
    page.goto(f"{url}/accounts/login/?next=/account/")
    page.get_by_role("button", name="With a passkey").click()
    expect(page).to_have_url(f"{url}/account/")

    page.locator("main").get_by_role("button", name="Sign out").click()
    sign_in_with_the_password()
    expect(page.get_by_role("heading", name="The second step")).to_be_visible()
    page.get_by_role("button", name="With a key").click()
    expect(page).to_have_url(f"{url}/account/")
    assert refused == []
    context.close()
