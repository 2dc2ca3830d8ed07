"""Routes of imports."""

from django.urls import URLPattern, path

from journal.views.imports import wizard

urlpatterns: list[URLPattern] = [
    path("imports/", wizard.import_list, name="imports"),
    path("imports/<uuid:pk>/", wizard.import_view, name="import_view"),
    path("imports/<uuid:pk>/row/", wizard.fix, name="import_fix"),
    path("imports/<uuid:pk>/read/", wizard.reread, name="import_reread"),
    path("imports/<uuid:pk>/commit/", wizard.commit, name="import_commit"),
    path("imports/<uuid:pk>/undo/", wizard.undo, name="import_undo"),
    path("imports/<uuid:pk>/discard/", wizard.discard, name="import_discard"),
    path("imports/<uuid:pk>/restore/", wizard.restore, name="import_restore"),
    path("imports/<uuid:pk>/release/", wizard.release, name="import_release"),
    path("imports/<uuid:pk>/groups/", wizard.groups, name="import_groups"),
]
