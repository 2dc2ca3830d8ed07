"""Routes of imports and of the links between trades."""

from django.urls import URLPattern, path

from journal.views.imports import roll_history as chains
from journal.views.imports import wizard as imports

urlpatterns: list[URLPattern] = [
    path("imports/", imports.import_list, name="imports"),
    path("imports/<uuid:pk>/", imports.import_view, name="import_view"),
    path("imports/<uuid:pk>/row/", imports.fix, name="import_fix"),
    path("imports/<uuid:pk>/read/", imports.reread, name="import_reread"),
    path("imports/<uuid:pk>/commit/", imports.commit, name="import_commit"),
    path("imports/<uuid:pk>/undo/", imports.undo, name="import_undo"),
    path("imports/<uuid:pk>/discard/", imports.discard, name="import_discard"),
    path("imports/<uuid:pk>/restore/", imports.restore, name="import_restore"),
    path("imports/<uuid:pk>/release/", imports.release, name="import_release"),
    path("imports/<uuid:pk>/groups/", imports.groups, name="import_groups"),
    path("trades/<uuid:pk>/chain/", chains.chain, name="trade_chain"),
    path("links/<uuid:pk>/", chains.decide, name="link_decide"),
]
