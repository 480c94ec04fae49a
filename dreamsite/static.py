"""Static files by content hash, the browser modules' imports included."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticStorage(CompressedManifestStaticFilesStorage):
    """Rewrites `import` and `export … from` as well, so that a deploy never mixes old and new modules."""

    support_js_module_import_aggregation = True
    max_post_process_passes = 20  # a module's hash depends on those of all it imports, one pass for each level

    def stored_name(self, name: str) -> str:
        """The name with its hash; the plain one where nothing was collected: a page without style beats no page.

        Django raises instead, and the page that would say so raises in its turn.
        """
        try:
            return str(super().stored_name(name))
        except ValueError:
            return name
