"""Browser modules of a page, asked for all at once.

A browser learns what a module imports when it has read it: four levels deep that is four round trips one after the
other, more than half a second on a phone. So the page names all of them.
"""

from __future__ import annotations

import posixpath
import re
from functools import cache
from pathlib import Path

from django import template
from django.contrib.staticfiles import finders
from django.templatetags.static import static
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

register = template.Library()

# `import … from "./x.js"`, `export … from "./x.js"`, `import "./x.js"`; not `import(…)`, which comes when it is wanted.
_IMPORT = re.compile(r"""^\s*(?:import|export)\b(?:[^"'();]*?\bfrom)?\s*["'](\.{1,2}/[^"']+)["']""", re.MULTILINE)


@cache
def graph(name: str) -> tuple[str, ...]:
    """The module and everything that it imports, by names below static/, nearest first. () where it is not found."""
    found: dict[str, None] = {}
    level = [name]
    while level:
        found.update(dict.fromkeys(level))
        level = [one for each in level for one in _imports(each) if one not in found]
    return tuple(one for one in found if finders.find(one))


def _imports(name: str) -> list[str]:
    path = finders.find(name)
    if not path:
        return []
    here = posixpath.dirname(name)
    return [posixpath.normpath(posixpath.join(here, one)) for one in _IMPORT.findall(Path(path).read_text())]


@register.simple_tag
def modulepreload(*names: str) -> SafeString:
    """Links that let a browser fetch these modules, and all that they import, before it reads the first."""
    every = dict.fromkeys(one for name in names for one in graph(name))
    return format_html_join("\n  ", '<link rel="modulepreload" href="{}">', ([static(one)] for one in every))
