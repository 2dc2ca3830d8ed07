"""Django made ready, for benches that use the product's own readers; import it before anything of hedging."""

from __future__ import annotations

import os

import django

from bench.chains import data_folder

__all__ = ["data_folder"]

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "alvh_site.settings")
django.setup()
