"""Pages of words: safe HTML at save, first versions that are never forced on anybody, a preview for the staff."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from canvas.moderation.models import Act
from dreamsite.core.models import User
from gallery import markdown
from gallery.pages import choosing, initial_pages
from gallery.pages.models import Page

pytestmark = pytest.mark.django_db


class Parts(HTMLParser):
    """Tags and attributes as a browser reads them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_markdown_says_what_it_can() -> None:
    html = markdown.render("# One\n\n## Two\n\n*a* **b** [c](/history/) ~~d~~\n\n1. x\n\n|e|f|\n|-|-|\n|1|2|\n\n`g`")
    for part in (
        "<h2>One</h2>",
        "<h2>Two</h2>",
        "<em>a</em>",
        "<strong>b</strong>",
        "<s>d</s>",
        "<li>",
        "<td>1</td>",
        "<code>g",
    ):
        assert part in html
    assert 'href="/history/"' in html


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html,<script>)",
        "![x](data:image/svg+xml,<svg/onload=alert(1)>)",
        "<a href='vbscript:x'>y</a>",
        "<style>body{display:none}</style>",
        "<iframe src=//evil.example></iframe>",
        "<form action=//evil.example><input></form>",
        "![x](https://evil.example/pixel.png)",
        "![x](//evil.example/pixel.png)",
        "<svg><a xlink:href='javascript:1'>x</a></svg>",
        "[x]: javascript:alert(1)\n\n[x]",
        "<p style='position:fixed'>x</p>",
        "<meta http-equiv=refresh content='0;//evil.example'>",
    ],
)
def test_nothing_in_it_does_harm(text: str) -> None:
    for tag, attributes in Parts(markdown.render(text)).found:
        assert tag in markdown.TAGS
        assert not any(name.startswith("on") or name == "style" for name in attributes)
        for name in ("href", "src"):
            address = attributes.get(name) or ""
            assert not re.match(r"\s*(javascript|data|vbscript)", address, re.IGNORECASE)
        assert "evil" not in (attributes.get("src") or "")


@given(st.text(max_size=200))
def test_no_text_becomes_more_than_is_allowed(text: str) -> None:
    for tag, attributes in Parts(markdown.render(text)).found:
        assert tag in markdown.TAGS and set(attributes) <= {"href", "title", "src", "alt", "start", "rel"}


def test_the_first_pages_are_there_and_lead_to_each_other(client: Client) -> None:
    for slug in ("about", "faq", "donate"):
        answer = client.get(f"/{slug}/")
        assert answer.status_code == 200
        for tag, attributes in Parts(answer.content.decode()).found:
            address = attributes.get("href") or ""
            if tag == "a" and address.startswith("/"):
                assert client.get(address).status_code in (200, 302), address


def test_an_edited_page_stays_and_a_missing_one_comes_back() -> None:
    Page.objects.filter(slug="about").update(body="Ours.", title="We")
    Page.objects.filter(slug="faq").delete()
    call_command("migrate", verbosity=0)
    assert Page.objects.get(slug="about").body == "Ours."
    assert "## " in Page.objects.get(slug="faq").body
    assert set(Page.objects.values_list("slug", flat=True)) == initial_pages.slugs()


def test_pages_are_in_the_language_of_the_request_until_somebody_edits_them(client: Client) -> None:
    client.cookies["django_language"] = "de"
    words = client.get("/about/").content.decode()
    assert "<h1>Über die Seite</h1>" in words and "<h2>Was das Netz tut</h2>" in words
    assert ">Fragen</a>" in words, "in the footer too"
    page = Page.objects.get(slug="about")
    page.body = page.body.replace("\n", "\r\n").strip()  # saved in a form, but nothing changed
    page.save()
    assert "<h1>Über die Seite</h1>" in client.get("/about/").content.decode()
    page.body += "\r\n\r\nMore from us."
    page.save()
    words = client.get("/about/").content.decode()
    assert '<h1 lang="en">About</h1>' in words and "More from us." in words and "Was das Netz tut" not in words
    assert re.search(r'lang="en">About</a>', words), "the footer says so, too"
    assert "lang=" not in client.get("/faq/").content.decode().partition('id="content"')[2].partition("</main>")[0]


def test_a_page_says_to_each_language_what_was_written_for_it(client: Client) -> None:
    page = Page.objects.get(slug="about")
    page.title, page.body, page.footer_order = "About us", "Ours.", 3
    page.save()
    german = Page.objects.create(slug="about", language="de", title="Über uns", body="*Unseres.*", published=False)
    spoken = {}
    for language in ("de", "fr", "en"):
        client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
        spoken[language] = client.get("/about/").content.decode()
    assert "Ours." in spoken["de"] and "Unseres" not in spoken["de"], "it is not published yet"
    german.published = True
    german.save()
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "de"
    words = client.get("/about/").content.decode()
    assert "<h1>Über uns</h1>" in words and "<em>Unseres.</em>" in words and "Ours." not in words
    assert words.count('href="/about/">Über uns</a>') == 1 and "About us" not in words
    assert '<h1 lang="en">About us</h1>' in spoken["fr"] and "<h1>About us</h1>" in spoken["en"]
    sitemap = client.get("/sitemap/pages.xml").content.decode()
    assert sitemap.count("/about/") == 1


def test_a_language_of_a_page_is_edited_beside_it(as_staff: Client, settings: Any) -> None:
    page = Page.objects.get(slug="donate")
    add = f"{reverse('admin:gallery_page_add')}?slug=donate&amp;language=es"
    assert add in as_staff.get(reverse("admin:gallery_page_change", args=[page.pk])).content.decode()
    form = as_staff.get(add.replace("&amp;", "&")).context["adminform"].form
    assert form["title"].value() == "Donar" and form["language"].value() == "es", "begins with what is shown there"
    # It says no more about money than the page itself may, and its versions are kept as that one's are.
    answer = as_staff.post(add, _form(page, language="es", body=f"Da a {OTHERS}"))
    assert answer.context["adminform"].form.errors["body"]
    assert as_staff.post(add, _form(page, language="es", title="Dar", body="Gracias.")).status_code == 302
    spanish = Page.objects.get(slug="donate", language="es")
    assert [version.text.splitlines()[1] for version in spanish.versions.all()] == ["language: es"]
    assert as_staff.post(add, _form(page, language="es")).context["adminform"].form.errors, "there is one"
    beside = reverse("admin:gallery_page_change", args=[spanish.pk])
    assert beside in as_staff.get(reverse("admin:gallery_page_change", args=[page.pk])).content.decode()
    alone = as_staff.post(reverse("admin:gallery_page_add"), _form(page, slug="imprint", language="es"))
    assert "no page at /imprint/" in str(alone.context["adminform"].form.errors["language"])
    # It can go again; the page itself cannot.
    assert as_staff.post(reverse("admin:gallery_page_delete", args=[page.pk]), {"post": "yes"}).status_code == 403
    assert as_staff.post(reverse("admin:gallery_page_delete", args=[spanish.pk]), {"post": "yes"}).status_code == 302
    call_command("migrate", verbosity=0)
    assert not Page.objects.exclude(language="").exists()


def test_a_draft_in_one_language_is_the_staffs_alone(client: Client, as_staff: Client) -> None:
    page = Page.objects.create(slug="rules", title="Rules", body="Be kind.")
    draft = Page.objects.create(slug="rules", language="de", title="Regeln", body="Halb fer", published=False)
    for visitor in (client, as_staff):
        visitor.cookies[settings.LANGUAGE_COOKIE_NAME] = "de"
    assert "Be kind." in client.get("/rules/").content.decode()
    form = as_staff.get(reverse("admin:gallery_page_change", args=[draft.pk]))
    assert not {"template", "footer_order"} & form.context["adminform"].form.fields.keys(), "the page itself has them"
    preview = f"{reverse('admin:gallery_page_preview')}?page={draft.pk}"
    assert f'href="{preview}"' in form.content.decode()
    assert "Halb fer" in as_staff.get(preview).content.decode()
    assert Client().get(preview).status_code in (302, 403)
    assert as_staff.get(reverse("admin:gallery_page_preview")).status_code == 404
    Page.objects.filter(pk=page.pk).update(published=False)
    Page.objects.filter(pk=draft.pk).update(published=True)
    with translation.override("de"):
        shown = choosing.find("rules", drafts=True)
    assert shown is not None and shown.title == "Regeln" and not shown.published, "the page itself is not"


def test_a_page_and_its_languages_stay_together(as_staff: Client, staff: User) -> None:
    page = Page.objects.create(slug="rules", title="Rules", body="Be kind.")
    Page.objects.create(slug="rules", language="de", title="Regeln", body="Sei nett.")
    address = reverse("admin:gallery_page_change", args=[page.pk])
    answer = as_staff.post(address, _form(page, language="fr"))
    assert "the page itself" in str(answer.context["adminform"].form.errors["language"])
    assert as_staff.post(address, _form(page, slug="house-rules")).status_code == 302
    german = Page.objects.get(slug="house-rules", language="de")
    version = german.versions.first()
    assert version is not None and version.slug == "house-rules" and version.by == staff
    assert not Page.objects.filter(slug="rules").exists()
    chosen = {"action": "delete_selected", "_selected_action": [page.pk], "post": "yes"}
    assert as_staff.post(reverse("admin:gallery_page_changelist"), chosen).status_code == 302
    assert not Page.objects.filter(slug="house-rules").exists()


def test_donations_and_the_farewell_are_translated_too(client: Client, staff: User) -> None:
    client.force_login(staff)
    client.cookies["django_language"] = "fr"
    assert "<h1>Dons</h1>" in client.get("/donate/").content.decode()
    Page.objects.filter(slug="farewell").update(published=True)
    words = client.get("/farewell/").content.decode()
    assert "Merci d’avoir rêvé avec nous" in words and "Pourquoi est-ce fini" in words


def test_html_is_made_at_save_and_with_what_is_saved() -> None:
    page = Page.objects.create(slug="rules", title="Rules", body="Be *kind*.")
    assert page.html == "<p>Be <em>kind</em>.</p>\n"
    page.body = "Be **kind**."
    page.save(update_fields=["body"])
    page.refresh_from_db()
    assert "<strong>" in page.html


def test_a_draft_is_for_the_staff(client: Client, as_staff: Client, settings: Any) -> None:
    Page.objects.create(slug="rules", title="Rules", published=False)
    assert Client().get("/rules/").status_code == 404
    settings.ADMIN_TWO_FACTOR = True
    assert as_staff.get("/rules/").status_code == 404, "a session without the second factor"
    settings.ADMIN_TWO_FACTOR = False
    assert b"draft" in as_staff.get("/rules/").content


def test_words_that_the_site_uses_itself_are_refused() -> None:
    for slug in ("history", "exhibits", "staff", "account"):
        with pytest.raises(ValidationError, match="itself has something"):
            Page(slug=slug, title="x").full_clean()
    Page(slug="imprint", title="x").full_clean()


def test_a_word_without_its_slash_is_led_on(client: Client) -> None:
    for word in ("about", "history", "films", "exhibits", "account", "donate"):
        answer = client.get(f"/{word}?a=b")
        assert (answer.status_code, answer["Location"]) == (301, f"/{word}/?a=b"), word
    assert client.get("/nothing-here").status_code == 404


def test_nothing_there_is_a_page_that_says_so(client: Client) -> None:
    assert client.get("/no-such-page/").status_code == client.get("/no-such-page").status_code == 404
    assert client.get("/about")["Location"] == "/about/"


def test_the_foot_leads_to_the_pages_in_their_order(client: Client) -> None:
    Page.objects.create(slug="imprint", title="Imprint", footer_order=9)
    words = client.get("/exhibits/").content.decode()
    assert words.index("/about/") < words.index("/faq/") < words.index("/imprint/")
    assert "/donate/" not in words, "there is no way to give"


def test_editing_shows_what_it_will_be_and_is_recorded(as_staff: Client, staff: User) -> None:
    page = Page.objects.get(slug="about")
    address = reverse("admin:gallery_page_preview")
    assert (
        as_staff.post(f"{address}?words", {"body": "*hi* <b>x</b>"}).content
        == b"<p><em>hi</em> &lt;b&gt;x&lt;/b&gt;</p>\n"
    )
    whole = as_staff.post(address, {"body": "Quite new", "title": "New", "template": "page"}).content
    assert b"Quite new" in whole and b"<h1>New" in whole
    page.refresh_from_db()
    assert "Quite new" not in page.body
    form = {"title": "About us", "template": "page", "footer_order": "1", "published": "on", "body": "## Us"}
    assert as_staff.post(reverse("admin:gallery_page_change", args=[page.pk]), form).status_code == 302
    page.refresh_from_db()
    assert (page.title, page.html) == ("About us", "<h2>Us</h2>\n")
    act = Act.objects.filter(verb="admin-change").latest("pk")
    assert act.by == staff and act.what["name"] == "About us"


def test_nobody_else_previews(client: Client, ada: User) -> None:
    client.force_login(ada)
    assert client.post(reverse("admin:gallery_page_preview"), {"body": "x"}).status_code in (302, 403)


def _form(page: Page, **changes: Any) -> dict[str, Any]:
    form = {"title": page.title, "slug": page.slug, "template": page.template, "body": page.body, "footer_order": 1}
    return {**form, "published": "on", **changes}


def test_changes_keep_versions_and_their_difference(as_staff: Client, staff: User) -> None:
    page = Page.objects.create(slug="rules", title="Rules", body="Be kind.\n\nDraw.\n")
    address = reverse("admin:gallery_page_change", args=[page.pk])
    for body in ("Be kind.\n\nDraw <b>well</b>.\n", "Be kind.\n\nDraw <b>well</b>.\n", "Be.\n"):
        assert as_staff.post(address, _form(page, body=body)).status_code == 302
    versions = list(page.versions.order_by("number"))
    assert [version.number for version in versions] == [1, 2, 3] and versions[0].body == "Be kind.\n\nDraw.\n"
    assert [version.by for version in versions] == [None, staff, staff]
    history = as_staff.get(reverse("admin:gallery_page_history", args=[page.pk]), follow=True)
    assert history.status_code == 200 and history.content.decode().count("/rules/") >= 3
    seen = as_staff.get(reverse("admin:gallery_pageversion_change", args=[versions[1].pk])).content.decode()
    assert "<del>Draw.</del>" in seen and "<ins>Draw &lt;b&gt;well&lt;/b&gt;.</ins>" in seen
    # The log, whose chain guards it, knows the version by its digest; and versions outlive their page.
    act = Act.objects.filter(verb="admin-change", what__model="gallery.page").order_by("pk").last()
    assert act is not None and (act.what["version"], act.what["sha256"]) == (3, versions[2].sha256)
    page.delete()
    kept = reverse("admin:gallery_pageversion_change", args=[versions[2].pk])
    assert "<del>Be kind.</del>" in as_staff.get(kept).content.decode()
    assert as_staff.post(kept, {"body": "Never said."}).status_code == 403
    assert as_staff.post(reverse("admin:gallery_pageversion_delete", args=[versions[2].pk])).status_code == 403


OTHERS = "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2"


@pytest.mark.parametrize(
    "body",
    [
        f"[Give](bitcoin:{OTHERS})",
        "[Give](BitCoin:somewhere)",
        "[Give](bit&#99;oin:somewhere)",
        "[Give]\n\n[Give]: bitcoin:somewhere",
        "<bitcoin:somewhere>",
        f"Send it to {OTHERS}, please.",
        f"Send it to {OTHERS[:9]}*{OTHERS[9:]}*",
        f"[Give](https://wallet.example/{OTHERS}?x=1)",
    ],
)
@pytest.mark.parametrize("slug", ["donate", "about"])
def test_money_goes_nowhere_by_the_text_of_a_page(as_staff: Client, slug: str, body: str) -> None:
    page = Page.objects.get(slug=slug)
    answer = as_staff.post(reverse("admin:gallery_page_change", args=[page.pk]), _form(page, body=body))
    assert answer.status_code == 200 and answer.context["adminform"].form.errors["body"]
    page.refresh_from_db()
    assert page.body != body and 'href="bitcoin' not in markdown.render(body).lower()


@pytest.mark.parametrize("body", ["![code](/media/uploads/a.png)", "![code][x]\n\n[x]: /uploads/a"])
def test_the_donation_page_shows_no_code_but_the_sites_own(as_staff: Client, body: str, settings: Any) -> None:
    settings.DONATE_BITCOIN = OTHERS
    page = Page.objects.get(slug="donate")
    address = reverse("admin:gallery_page_change", args=[page.pk])
    assert as_staff.post(address, _form(page, body=body)).context["adminform"].form.errors["body"]
    own = f"![our code](/donate/bitcoin.svg) is {OTHERS}"
    assert as_staff.post(address, _form(page, body=own)).status_code == 302
    about = Page.objects.get(slug="about")
    assert (
        as_staff.post(reverse("admin:gallery_page_change", args=[about.pk]), _form(about, body=body)).status_code == 302
    )


def test_the_footer_reads_no_pages_html_and_asks_once(client: Client) -> None:
    """It is on every page, in every language."""
    for language in ("en", "de"):
        client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
        client.get("/about/")
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/about/").status_code == 200
        asked = [query["sql"] for query in queries if 'FROM "gallery_page"' in query["sql"]]
        (footer,) = [sql for sql in asked if 'NOT ("gallery_page"."footer_order"' in sql]
        assert '"html"' not in footer and len(asked) == 2, asked
