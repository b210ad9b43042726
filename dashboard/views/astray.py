"""An address that is no page of Strata's."""

from __future__ import annotations

from dashboard.library import NotThere

raise NotThere("Strata has no such page. Go on from the library.")
