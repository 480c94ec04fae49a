"""The items of an exhibit, as the page shows them."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from canvas.models import Frame
from gallery import media
from gallery.exhibits.models import Exhibit, Picture
from gallery.links import frame_url
from gallery.studio.models import Work
from gallery.uploads.models import Upload


@dataclass(frozen=True)
class ItemImage:
    """One picture: where it is, how large, and the page it came from ("" for an upload)."""

    address: str
    width: int
    height: int
    thumbnail: str
    page: str
    words: str
    lasting: str  # the path of this site that leads to it for as long as it is there


@dataclass(frozen=True)
class ExhibitItem:
    """`before` is None where there is only one picture, or where the earlier one is hidden."""

    number: int
    picture: Picture
    after: ItemImage
    before: ItemImage | None

    @property
    def alt(self) -> str:
        return self.picture.caption or self.after.words


def items_of(exhibit: Exhibit) -> list[ExhibitItem]:
    """Its items in order, from `Exhibit.objects.with_pictures()`, without those of hidden frames."""
    items: list[ExhibitItem] = []
    for picture in exhibit.pictures.all():
        work = picture.after_work
        after = _dream(work) if work else _image(picture.after_frame, picture.after_upload)
        if after is None:
            continue
        before = _before(work) if work else _image(picture.before_frame, picture.before_upload)
        if picture.before_drawing and picture.after_frame:
            before = _drawing(picture.after_frame)
        items.append(ExhibitItem(len(items) + 1, picture, after, before))
    return items


def _image(frame: Frame | None, upload: Upload | None) -> ItemImage | None:
    if frame is not None and frame.hidden_at is None and frame.canvas.listed:
        moment = f"{frame.made_at:%Y-%m-%d %H:%M:%S}"
        words = _("The canvas on %(moment)s UTC.") % {"moment": moment}
        if frame.title:
            words += " " + _("The network dreamed of %(title)s.") % {"title": _(frame.title)}
        return ItemImage(
            frame.picture.url,
            frame.width,
            frame.height,
            frame.thumbnail.url,
            frame.get_absolute_url(),
            words,
            media.path(frame.picture),
        )
    if frame is None and upload is not None:
        address = upload.picture.url
        return ItemImage(address, upload.width, upload.height, address, "", upload.title, media.path(upload.picture))
    return None


def _dream(work: Work) -> ItemImage | None:
    if work.published_at is None or work.hidden_at is not None or not work.picture:
        return None
    return ItemImage(
        work.picture.url,
        work.width,
        work.height,
        work.thumbnail.url if work.thumbnail else "",
        work.get_absolute_url(),
        str(work),
        media.path(work.picture),
    )


def _before(work: Work) -> ItemImage | None:
    """What it was dreamed on, where its maker shows that."""
    if not work.show_before or work.original is None:
        return None
    picture = work.original.picture
    words = _("The picture")
    return ItemImage(picture.url, work.original.width, work.original.height, "", "", words, media.path(picture))


def _drawing(frame: Frame) -> ItemImage:
    words = _("What was drawn before the network dreamed.")
    address = frame_url("frame_drawing", frame)
    return ItemImage(address, frame.width, frame.height, "", "", words, address)
