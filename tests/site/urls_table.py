"""Who is told what at every address: one row for each. Whoever adds an address adds a row here.

The key is the address' name, followed by the names of its arguments. `get` and `post` (sent without fields) say what
anonymous, user, moderator and admin are told, or what all of them are: a status, "login" for a redirect to a sign-in,
"again" for one that asks for password, code or key once more. Somebody suspended is led out everywhere ("out"); where
not, five words say what they are told too, between user and moderator. Arguments are values, or functions of the world
(world.py) that make what they name.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

SIGNED_IN = "login 200 200 200"
MODERATORS = "login 403 200 200"
TODAY = datetime.now(UTC).date()


class Row:
    """`at` is the address itself where it has no name, `query` what follows it."""

    def __init__(self, get: str, post: str = "405", /, *, at: str = "", query: str = "", **args: Any) -> None:
        self.get, self.post, self.path, self.query, self.args = _words(get), _words(post), at, query, args


def _words(said: str) -> str:
    words = said.split(" ")
    words = words * 4 if len(words) == 1 else words
    return " ".join([*words[:2], "out", *words[2:]] if len(words) == 4 else words)


# fmt: off
TABLE = {
    # --- The canvas and what happens on it -----------------------------------------------------------------------
    "last_canvas": Row("302"),
    "canvas": Row("200", "200"),
    "canvas slug": Row("200", "200", slug="elsewhere"),
    "veil slug": Row("405", "401 400 400 400", slug="elsewhere"),
    "guess slug pk": Row("405", "401 400 400 400", slug="elsewhere", pk=lambda w: w.guess.pk),
    "next_style slug": Row("405", "login 403 302 302", slug="elsewhere"),
    "c/<slug:slug>/ slug": Row("200", "200", at="/c/elsewhere/"),
    "moderation_styles": Row("401 403 200 200"),
    "moderation_at slug": Row("401 403 400 400", slug="elsewhere"),
    "moderation_ink slug": Row("401 403 400 400", slug="elsewhere"),
    "moderation_people slug": Row("401 403 200 200", slug="elsewhere"),
    "moderation_pictures slug": Row("401 403 200 200", slug="elsewhere"),
    "moderation_state slug": Row("401 403 200 200", slug="elsewhere"),
    "moderation_log slug": Row("401 403 200 200", slug="elsewhere"),
    "moderation_preview slug": Row("405", "401 403 400 400", slug="elsewhere"),
    "moderation_apply slug": Row("405", "401 403 400 400", slug="elsewhere"),
    "moderation_undo slug": Row("405", "401 403 400 400", slug="elsewhere"),
    "moderation_switch slug": Row("405", "401 403 400 400", slug="elsewhere"),
    "report": Row("404", "422"),
    "standing": Row(SIGNED_IN),
    "appeal pk": Row("405", "login 404 404 404", pk=lambda w: w.sanction.pk),
    "acknowledge pk": Row("405", "login 302 302 302", pk=lambda w: w.sanction.pk),
    "suspended token": Row("404", "404", token="forged"),
    "suspended_export token": Row("405", "404", token="forged"),
    "suspended_close token": Row("405", "404", token="forged"),
    "": Row("200", "200", at="/"),
    # --- The moderators' desk ------------------------------------------------------------------------------------
    "queue": Row(MODERATORS),
    "case pk": Row(MODERATORS, pk=lambda w: w.case.pk),
    "case_now pk": Row("login 403 200 200", pk=lambda w: w.case.pk),
    "case_frame pk": Row("405", "login 403 404 404", pk=lambda w: w.case.pk),
    "case_claim pk": Row("405", "login 403 409 409", pk=lambda w: w.case.pk),
    "case_release pk": Row("405", "login 403 409 409", pk=lambda w: w.case.pk),
    "case_decide pk": Row("405", "login 403 422 422", pk=lambda w: w.case.pk),
    "case_reopen pk": Row("405", "login 403 409 409", pk=lambda w: w.case.pk),
    "case_note pk": Row("405", "login 403 422 422", pk=lambda w: w.case.pk),
    "case_appeal pk": Row("405", "login 403 404 404", pk=lambda w: w.case.pk),
    "evidence pk": Row("login 403 404 404", pk=lambda w: w.report.pk),
    "sanctions": Row(MODERATORS),
    "sanction_new": Row(MODERATORS, "login 403 422 422"),
    "sanction pk": Row(MODERATORS, "login 403 422 422", pk=lambda w: w.sanction.pk),
    "sanction_lift pk": Row("405", "login 403 302 302", pk=lambda w: w.sanction.pk),
    "desk_people": Row(MODERATORS),
    "desk_person pk": Row(MODERATORS, pk=lambda w: w.people["user"].pk),
    "desk_note pk": Row("405", "login 403 422 422", pk=lambda w: w.people["user"].pk),
    "signals": Row(MODERATORS),
    "signal_seen pk": Row("405", "login 403 302 302", pk=lambda w: w.signal.pk),
    "audit": Row(MODERATORS),
    "summary": Row("200"),
    "summary_month year number": Row("200", year=2026, number=11),
    # --- History, films, exhibits, pages -------------------------------------------------------------------------
    "history": Row("200"),
    "history_json": Row("200"),
    "history_feed": Row("200", "200"),
    "timeline_json": Row("200"),
    "ink": Row("200"),
    "calendar": Row("200"),
    "calendar_month month": Row("200", month=TODAY.replace(day=1)),
    "slideshow": Row("200"),
    "my_strokes": Row(SIGNED_IN),
    "my_strokes_json": Row(SIGNED_IN),
    "day day": Row("200", day=TODAY),
    "moment moment": Row("200", moment=lambda w: w.frame.made_at),
    "moment_json moment": Row("200", moment=lambda w: w.frame.made_at),
    "moment_png moment": Row("200 200 200 200 200", moment=lambda w: w.frame.made_at),
    "highlights": Row("200"),
    "highlights_feed": Row("200", "200"),
    "frame pk": Row("200", pk=lambda w: w.frame.pk),
    "frame_json pk": Row("200", pk=lambda w: w.frame.pk),
    "frame_picture pk": Row("302", pk=lambda w: w.frame.pk),
    "frame_drawing pk": Row("200", pk=lambda w: w.frame.pk),
    "frame_recipe pk": Row("200", pk=lambda w: w.frame.pk),
    "frame_embed pk": Row("200", pk=lambda w: w.frame.pk),
    "frame_hide pk": Row("405", "login 403 302 302", pk=lambda w: w.hideable.pk),
    "frame_highlight pk": Row("405", "login 403 302 302", pk=lambda w: w.frame.pk),
    "frame_dream_again pk": Row("405", "login 403 302 302", pk=lambda w: w.frame.pk),
    "oembed": Row("404"),
    "sitemap": Row("200"),
    "sitemap_pages": Row("200"),
    "sitemap_frames month part": Row("200", month=TODAY.replace(day=1), part=1),
    "now": Row("302"),
    "films": Row("200"),
    "films_json": Row("200"),
    "film_request": Row("405", "403 403 403 302"),
    "film pk": Row("200", pk=lambda w: w.film.pk),
    "film_json pk": Row("200", pk=lambda w: w.film.pk),
    "film_chapters pk": Row("404", pk=lambda w: w.film.pk),
    "film_previews pk": Row("404", pk=lambda w: w.film.pk),
    "film_frame pk": Row("404", pk=lambda w: w.film.pk),
    "film_change pk": Row("405", "403 403 403 302", pk=lambda w: w.film.pk),
    "downloads": Row("200"),
    "downloads_json": Row("200"),
    "download_day day": Row("404", day=TODAY),
    "exhibits": Row("200"),
    "exhibit slug": Row("200", slug=lambda w: w.exhibit.slug),
    "exhibit_json slug": Row("200", slug=lambda w: w.exhibit.slug),
    "media path": Row("200 200 200 200 200", path=lambda w: w.frame.picture.name),
    "donate": Row("200"),
    "bitcoin_code": Row("404 404 404 404 404"),
    "<slug:slug> slug": Row("404", at="/no-such-page"),
    "upload key": Row("404", key="0" * 32),
    "page slug": Row("200", slug=lambda w: w.page.slug),
    # --- Accounts ------------------------------------------------------------------------------------------------
    "account": Row(SIGNED_IN, SIGNED_IN),
    "account_export": Row("405", "login again again again"),
    "account_close": Row(SIGNED_IN, "login again again again"),
    "person name": Row("200", name=lambda w: w.people["user"].username),
    "usersessions_list": Row(SIGNED_IN, "login 302 302 302"),
    "account_login": Row("200 302 302 302", "200 302 302 302"),
    "account_logout": Row("302 200 200 200", "302"),
    "account_inactive": Row("200"),
    "account_signup": Row("200 302 302 302", "200 302 302 302"),
    "account_reauthenticate": Row(SIGNED_IN, SIGNED_IN),
    "account_email": Row(SIGNED_IN, "login 302 302 302"),
    "account_email_verification_sent": Row("200"),
    "account_change_password": Row(SIGNED_IN, SIGNED_IN),
    "account_set_password": Row("login 302 302 302", "login 302 302 302"),
    "account_reset_password": Row("200", "200"),
    "account_confirm_login_code": Row("login 302 302 302", "login 302 302 302"),
    "account_confirm_email key": Row("200", "404", key="gone"),
    "account_reset_password_from_key_done": Row("200"),
    "account_reset_password_from_key uidb36 key": Row("200", "200", uidb36="1", key="gone"),
    "account_reset_password_done": Row("200"),
    "account_request_login_code": Row("200 302 302 302", "200 302 302 302"),
    "mfa_index": Row(SIGNED_IN, "login 405 405 405"),
    "mfa_authenticate": Row("login 302 302 302", "login 302 302 302"),
    "mfa_reauthenticate": Row("login again again again", "login again again again"),
    "mfa_activate_totp": Row("login again again again", "login again again again"),
    "mfa_deactivate_totp": Row("login 404 404 404", "login 404 404 404"),
    "mfa_view_recovery_codes": Row("login 404 404 404", "login 405 405 405"),
    "mfa_generate_recovery_codes": Row("login again again again", "login again again again"),
    "mfa_download_recovery_codes": Row("login 404 404 404", "login 404 404 404"),
    "mfa_list_webauthn": Row(SIGNED_IN, "login 405 405 405"),
    "mfa_add_webauthn": Row("login again again again", "login again again again"),
    "mfa_reauthenticate_webauthn": Row("login again again again", "login again again again"),
    "mfa_remove_webauthn pk": Row("login again again again", "login again again again", pk=1),
    "mfa_edit_webauthn pk": Row("login again again again", "login again again again", pk=1),
    "mfa_login_webauthn": Row("login 302 302 302", "login 302 302 302"),
    "socialaccount_login_cancelled": Row("200"),
    "socialaccount_login_error": Row("401"),
    "socialaccount_signup": Row("login", "login"),
    "socialaccount_connections": Row(SIGNED_IN, SIGNED_IN),
    "social/login/cancelled/": Row("301", "301", at="/accounts/social/login/cancelled/"),
    "social/login/error/": Row("301", "301", at="/accounts/social/login/error/"),
    "social/signup/": Row("301", "301", at="/accounts/social/signup/"),
    "social/connections/": Row("301", "301", at="/accounts/social/connections/"),
    # --- The site ------------------------------------------------------------------------------------------------
    "claim token": Row("404", "404", token="forged"),
    "robots": Row("200"),
    "security_txt": Row("404 404 404 404 404"),
    "healthz": Row("200", "200"),
    "readyz": Row("200", "200"),
}
