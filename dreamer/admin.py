"""Networks in the administration."""

from __future__ import annotations

from dreamer.networks import admin as _networks  # registers its page
