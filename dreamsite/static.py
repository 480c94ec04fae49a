"""Static files by content hash, the browser modules' imports included."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Rewrites `import` and `export … from` as well, so that a deploy never mixes old and new modules."""

    support_js_module_import_aggregation = True
