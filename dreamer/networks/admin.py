"""The owner's page Networks: what is here, what is on its way, what each canvas dreams with, the styles as pictures.

What takes long is a job (jobs.py); what changes something stands in the log of acts. Uploads are bounded before they
are read.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadhandler import FileUploadHandler, StopUpload, TemporaryFileUploadHandler
from django.db import transaction
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_POST

from canvas.models import Canvas
from canvas.moderation.models import Act
from dreamer.engine import cuda, openvino
from dreamer.library import LibraryError, ModelFiles
from dreamer.library.fetch import source
from dreamer.library.importing import layers
from dreamer.library.sources import SOURCES
from dreamer.models import Job, Network, OwnStyle
from dreamer.networks import choosing, fetching, importing, jobs, shelves, trying
from dreamer.networks.forms import ImportForm, OwnStyleForm
from dreamer.registered import default_model, registry
from dreamer.styles import key
from dreamsite.core.tasks.jobs import OPEN, State

FETCH = Act.add_verb("network-fetch", gettext_lazy("Had a network fetched"))
IMPORT = Act.add_verb("network-import", gettext_lazy("Had a network imported"))
CANCEL = Act.add_verb("network-cancel", gettext_lazy("Stopped work on a network"))
REMOVE = Act.add_verb("network-remove", gettext_lazy("Removed a network"))
FIELDS_LIMIT = 1_000_000  # bytes of an upload beside the files: the other fields and what multipart adds


class Bounded(FileUploadHandler):
    """Ends an upload that is larger than it may be, also one that did not say how long it is."""

    def __init__(self, request: HttpRequest, limit: int) -> None:
        super().__init__(request)
        self.left, self.over = limit, False

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        self.left -= len(raw_data)
        if self.left < 0:
            self.over = True
            raise StopUpload(connection_reset=True)
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None


@admin.register(Network)
class NetworkAdmin(admin.ModelAdmin[Network]):
    """Its own pages in place of the ones that a model gets. View, add (fetch, import), change (use, styles), delete."""

    def get_urls(self) -> list[URLPattern]:
        def at(route: str, view: Callable[..., HttpResponseBase], name: str) -> URLPattern:
            return path(route, self.admin_site.admin_view(view), name=f"dreamer_network_{name}")

        return [
            at("", self.changelist_view, "changelist"),
            at("state", self.state, "state"),
            at("fetch", self.fetch, "fetch"),
            at("import", self.import_file, "import"),
            at("use", self.use, "use"),
            at("jobs/<int:pk>/cancel", self.cancel, "cancel"),
            at("n/<str:name>/", self.network, "network"),
            at("n/<str:name>/remove", self.remove, "remove"),
            at("n/<str:name>/measure", self.measure, "measure"),
            at("n/<str:name>/styles", self.styles, "styles"),
            at("n/<str:name>/own", self.own, "own"),
            at("n/<str:name>/own/<int:pk>/remove", self.own_remove, "own_remove"),
            at("n/<str:name>/picture", self.picture, "picture"),
            at("n/<str:name>/preview", self.preview, "preview"),
        ]

    # --- the page --------------------------------------------------------------------------------------------------

    @method_decorator(never_cache)
    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        return self._page(request, ImportForm())

    def _page(self, request: HttpRequest, form: ImportForm, status: int = 200) -> HttpResponse:
        found, in_use = registry(), choosing.in_use()
        installed = found.list()
        for files in installed:  # each is measured once by itself
            if not Job.objects.filter(kind=Job.Kind.MEASURE, network=files.name).exists():
                jobs.request(Job.Kind.MEASURE, files.name)
        current = _jobs()
        names = {files.name for files in installed}
        measured = {row.name: row for row in Network.objects.all()}
        site = default_model()
        context = self._context(
            request,
            current,
            title=_("Networks"),
            networks=[_Shown(files, measured.get(files.name), in_use) for files in installed],
            problems=found.problems(),
            canvases=[(canvas, choosing.chosen(canvas), name) for canvas, name in in_use],
            titles={files.name: files.info.title for files in installed},
            site_title=next((files.info.title for files in installed if files.name == site), site),
            decided=settings.DREAM_MODEL,
            jobs=_with_words(current),
            published=[
                (wanted, fetching.amount(0, wanted.weights.size) if wanted.weights.size else "")
                for name, wanted in SOURCES.items()
                if name not in names
            ],
            under_way=set(Job.objects.open().filter(kind=Job.Kind.FETCH).values_list("network", flat=True)),
            form=form,
            limit=fetching.amount(0, settings.NETWORK_UPLOAD),
        )
        return render(request, "admin/dreamer/network/change_list.html", context, status=status)

    def _context(self, request: HttpRequest, current: list[Job], **more: Any) -> dict[str, Any]:
        """`current` is read before anything else that the page shows: what ends meanwhile changes the stamp."""
        may = {
            "add": self.has_add_permission(request),
            "change": self.has_change_permission(request),
            "delete": self.has_delete_permission(request),
        }
        chosen = settings.DREAM_DEVICE
        why = openvino.obstacle() if chosen == "openvino" else cuda.obstacle()
        device = {"device": chosen, "card": cuda.driver() is not None, "obstacle": why}
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "may": may,
            "stamp": _stamp(current),
            **device,
            **more,
        }

    @method_decorator(never_cache)
    def state(self, request: HttpRequest) -> JsonResponse:
        """How far the work is; `stamp` changes where the page would look different."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        found = _jobs()
        shown = [
            {
                "id": job.pk,
                "kind": job.kind,
                "network": job.network,
                "state": job.state,
                "done": job.done,
                "fraction": job.fraction or None,
                "words": words(job),
            }
            for job in found
        ]
        return JsonResponse({"jobs": shown, "stamp": _stamp(found)})

    # --- what comes and goes ---------------------------------------------------------------------------------------

    @method_decorator(require_POST)
    def fetch(self, request: HttpRequest) -> HttpResponse:
        self._need(request, "add")
        try:
            wanted = source(request.POST.get("name", ""))
        except LibraryError as error:
            messages.error(request, str(error))
            return self._back()
        with transaction.atomic():
            if jobs.request(Job.Kind.FETCH, wanted.name, by=request.user):
                Act.objects.record(request.user, FETCH, network=wanted.name)
        return self._back()

    @method_decorator(csrf_exempt)  # so that nothing of it is read before it is known who sends how much
    def import_file(self, request: HttpRequest) -> HttpResponse:
        self._need(request, "add")
        if request.method != "POST":
            return self._back()
        limit = settings.NETWORK_UPLOAD + FIELDS_LIMIT
        try:
            length = int(request.META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            length = 0
        if length > limit:
            return self._too_large(request)
        bounded = Bounded(request, settings.NETWORK_UPLOAD)
        request.upload_handlers = [bounded, TemporaryFileUploadHandler(request)]
        return csrf_protect(partial(self._import, bounded=bounded))(request)

    def _import(self, request: HttpRequest, bounded: Bounded) -> HttpResponse:
        form = ImportForm(request.POST, request.FILES)
        if bounded.over:
            return self._too_large(request)
        if not form.is_valid():
            return self._page(request, form, 422)
        name = form.cleaned_data["name"]
        folder = importing.store(form.uploads())
        with transaction.atomic():
            if jobs.request(Job.Kind.IMPORT, name, by=request.user, **form.options(folder)):
                Act.objects.record(request.user, IMPORT, network=name, file=form.cleaned_data["file"].name)
                return self._back()
        shutil.rmtree(folder, ignore_errors=True)
        form.add_error("name", _("A network is being imported under this name. Wait for it, or cancel it."))
        return self._page(request, form, 422)

    def _too_large(self, request: HttpRequest) -> HttpResponse:
        problem = _(
            "The file is larger than %(limit)s. The setting NETWORK_UPLOAD_MB allows more; or import it on the server: "
            "manage.py model import FILE."
        )
        problem %= {"limit": fetching.amount(0, settings.NETWORK_UPLOAD)}
        form = ImportForm({})
        form.errors.clear()
        form.add_error("file", problem)
        return self._page(request, form, 413)

    @method_decorator(require_POST)
    def cancel(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Stops what is under way; what has ended badly is taken off the page."""
        self._need(request, "change")
        job = get_object_or_404(Job, pk=pk)
        with transaction.atomic():
            if Job.objects.filter(pk=pk).cancel():
                Act.objects.record(request.user, CANCEL, network=job.network, kind=job.kind)
            else:
                Job.objects.filter(pk=pk, state=State.FAILED).update(state=State.CANCELLED)
        return self._back()

    @method_decorator(require_POST)
    def remove(self, request: HttpRequest, name: str) -> HttpResponse:
        self._need(request, "delete")
        users = [canvas.title for canvas, used in choosing.in_use() if used == name]
        if users or name == settings.DREAM_MODEL:
            who = ", ".join(users) or "DREAM_MODEL"
            messages.error(request, _("%(who)s dreams with it: choose another network first.") % {"who": who})
            return self._back()
        if Job.objects.open().filter(network=name, kind__in=[Job.Kind.FETCH, Job.Kind.IMPORT]).exists():
            messages.error(request, _("It is being fetched or imported: stop that first."))
            return self._back()
        try:
            registry().remove(name)
        except (LibraryError, OSError) as error:
            messages.error(request, str(error))
            return self._back()
        fetching.decline(name)
        trying.forget(name)
        Act.objects.record(request.user, REMOVE, network=name)
        messages.success(request, _("The network %(name)s is removed.") % {"name": name})
        return self._back()

    @method_decorator(require_POST)
    def use(self, request: HttpRequest) -> HttpResponse:
        self._need(request, "change")
        canvas = get_object_or_404(
            Canvas.objects.existing().select_related("choice"), slug=request.POST.get("canvas", "")
        )
        name = request.POST.get("network", "")
        if name == choosing.chosen(canvas):
            return self._back()
        try:
            choosing.use(canvas, name, request.user)
        except LibraryError as error:
            messages.error(request, str(error))
            return self._back()
        now = name or default_model()
        title = next((files.info.title for files in registry().list() if files.name == now), now)
        confirmation = _("%(canvas)s dreams with %(network)s from its next dream on.")
        messages.success(request, confirmation % {"canvas": canvas.title, "network": title or _("nothing yet")})
        return self._back()

    # --- one network -----------------------------------------------------------------------------------------------

    @method_decorator(never_cache)
    def network(self, request: HttpRequest, name: str) -> HttpResponse:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        return self._network(request, _files(name))

    def _network(
        self, request: HttpRequest, files: ModelFiles, form: OwnStyleForm | None = None, status: int = 200
    ) -> HttpResponse:
        trying.order_missing(files)  # a cache that fills itself
        current = _jobs()
        canvas, canvases = self._canvas(request), [one for one, _network in choosing.in_use()]
        off, own = shelves.off_at(canvas, files.name), {key(s.layer, s.channel): s for s in _owned(files.name)}
        shown = []
        for style in shelves.of_network(files):
            name = key(style.layer, style.channel)
            shown.append(
                {
                    "key": name,
                    "label": style.label,
                    "where": _where(style) if style.title else "",
                    "picture": trying.picture(files, name).is_file(),
                    "on": name not in off,
                    "own": own.get(name),
                }
            )
        preview = Job.objects.filter(kind=Job.Kind.PREVIEW, network=files.name).first()
        known = _layers(files)
        initial = None
        if preview and preview.options.get("form"):
            initial = preview.options["form"]
        context = self._context(
            request,
            current,
            title=files.info.title,
            files=files,
            network=_Shown(files, Network.objects.filter(name=files.name).first(), choosing.in_use()),
            styles=shown,
            on=sum(style["on"] for style in shown),
            canvas=canvas,
            canvases=canvases,
            surprises=shelves.of_canvas(canvas, files)[1],
            votes=not hasattr(canvas, "choice") or canvas.choice.votes,
            jobs=_with_words([job for job in current if job.network == files.name]),
            form=form or OwnStyleForm(files, known, initial=initial),
            classes=files.labels if files.info.logits else (),
            preview=preview,
            preview_here=trying.preview(files.name).is_file(),
        )
        return render(request, "admin/dreamer/network/network.html", context, status=status)

    @method_decorator(require_POST)
    def measure(self, request: HttpRequest, name: str) -> HttpResponse:
        self._need(request, "change")
        jobs.request(Job.Kind.MEASURE, _files(name).name, by=request.user)
        return self._back()

    @method_decorator(require_POST)
    def styles(self, request: HttpRequest, name: str) -> HttpResponse:
        self._need(request, "change")
        files, canvas = _files(name), self._canvas(request)
        on, surprises = request.POST.getlist("on"), "surprises" in request.POST
        if not on and not surprises:
            messages.error(request, _("Leave a style on: with none the canvas would have nothing to dream of."))
        elif shelves.turn(canvas, files, on, surprises, request.user, votes="votes" in request.POST):
            messages.success(request, _("%(canvas)s keeps to it from its next style on.") % {"canvas": canvas.title})
        return self._back(files.name, canvas)

    @method_decorator(require_POST)
    def own(self, request: HttpRequest, name: str) -> HttpResponse:
        """Adds a style, or with `preview` shows first what it makes of the canvas."""
        self._need(request, "change")
        files, canvas = _files(name), self._canvas(request)
        form = OwnStyleForm(files, _layers(files), request.POST)
        if not form.is_valid():
            return self._network(request, files, form, 422)
        data = form.cleaned_data
        if "preview" in request.POST:
            given = {field: request.POST.get(field, "") for field in form.fields}
            jobs.request(
                Job.Kind.PREVIEW,
                files.name,
                by=request.user,
                instead=True,
                canvas=canvas.slug,
                layer=data["layer"],
                channel=data["channel"],
                title=data["title"],
                form=given,
            )
        else:
            shelves.add(files.name, data["layer"], data["channel"], data["title"], request.user)
            messages.success(request, _("“%(title)s” is among its styles.") % {"title": data["title"]})
        return self._back(files.name, canvas)

    @method_decorator(require_POST)
    def own_remove(self, request: HttpRequest, name: str, pk: int) -> HttpResponse:
        self._need(request, "change")
        shelves.take_away(get_object_or_404(OwnStyle, pk=pk, network=name), request.user)
        return self._back(name, self._canvas(request))

    def picture(self, request: HttpRequest, name: str) -> HttpResponseBase:
        """What a style dreams of, by its key."""
        return self._file(request, trying.picture(_files(name), request.GET.get("style", "")), 86400)

    def preview(self, request: HttpRequest, name: str) -> HttpResponseBase:
        return self._file(request, trying.preview(_files(name).name), 0)

    def _file(self, request: HttpRequest, file: Path, seconds: int) -> HttpResponseBase:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        try:
            answer = FileResponse(file.open("rb"), content_type="image/webp")
        except FileNotFoundError:
            raise Http404 from None
        answer["Cache-Control"] = f"private, max-age={seconds}" if seconds else "no-store"
        return answer

    # --- helpers ---------------------------------------------------------------------------------------------------

    def _need(self, request: HttpRequest, what: str) -> None:
        if not getattr(self, f"has_{what}_permission")(request):
            raise PermissionDenied

    def _canvas(self, request: HttpRequest) -> Canvas:
        slug = request.POST.get("canvas") or request.GET.get("canvas")
        return get_object_or_404(Canvas.objects.existing(), slug=slug) if slug else Canvas.objects.default()

    def _back(self, name: str = "", canvas: Canvas | None = None) -> HttpResponse:
        if not name:
            return redirect("admin:dreamer_network_changelist")
        query = f"?canvas={canvas.slug}" if canvas and canvas.slug != settings.CANVAS_SLUG else ""
        return redirect(reverse("admin:dreamer_network_network", args=[name]) + query)


class _Shown:
    """A network as the page shows it."""

    def __init__(self, files: ModelFiles, measured: Network | None, in_use: list[tuple[Canvas, str]]) -> None:
        self.files, self.info, self.name = files, files.info, files.name
        self.size = fetching.amount(0, files.model.stat().st_size)
        self.measured = measured if measured and measured.sha256 == files.info.sha256 else None
        self.used_by = [canvas for canvas, name in in_use if name == files.name]
        self.ours = files.path.parent != Path(settings.MODELS_DIR)
        self.removable = not self.ours and not self.used_by and files.name != settings.DREAM_MODEL


def _jobs() -> list[Job]:
    """What is under way, and what failed."""
    found = Job.objects.filter(state__in=[*OPEN, State.FAILED]).order_by("pk")
    return sorted(found, key=lambda job: [State.RUNNING, State.FAILED, State.WAITING].index(State(job.state)))


def _stamp(found: list[Job]) -> str:
    """Another one where the page would show other things than how far they are."""
    return "|".join([*(f"{job.pk}.{job.edition}.{job.state}" for job in found), *registry().names()])


def _owned(name: str = "") -> list[OwnStyle]:
    return list(OwnStyle.objects.filter(network=name) if name else OwnStyle.objects.all())


def _files(name: str) -> ModelFiles:
    try:
        return registry().get(name)
    except LibraryError:
        raise Http404 from None


def _where(style: Any) -> str:
    return str(style.layer) if style.channel is None else f"{style.layer} · {style.channel}"


def _layers(files: ModelFiles) -> dict[str, int]:
    stamp = files.model.stat()
    return _layers_of(files.path, stamp.st_mtime_ns, stamp.st_size)


@lru_cache(maxsize=8)  # reading a network takes a second
def _layers_of(path: Path, changed: int, size: int) -> dict[str, int]:
    import onnx

    files = ModelFiles.read(path)
    return layers(onnx.load(str(files.model)), files.info)


def _with_words(found: list[Job]) -> list[tuple[Job, str]]:
    return [(job, words(job)) for job in found]


def words(job: Job) -> str:
    """How far a job is, in words."""
    if job.state == State.WAITING:
        return _("waits for a worker")
    if job.state == State.FAILED:
        return job.message
    if job.kind == Job.Kind.FETCH:
        if job.total and job.done >= job.total:
            return _("checking and converting")
        return fetching.amount(job.done, job.total)
    if job.kind == Job.Kind.PICTURES and job.total:
        return _("%(done)d of %(total)d") % {"done": job.done, "total": job.total}
    return f"{job.percent} %" if job.fraction else job.message
