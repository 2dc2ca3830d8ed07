"""Routes of reviews: tags, notes, files, playbooks, days."""

from django.urls import URLPattern, path, register_converter

from journal.urls.converters import DayConverter
from journal.views.review import days, notes, playbooks, review, tags

register_converter(DayConverter, "day")

urlpatterns: list[URLPattern] = [
    path("trades/<uuid:pk>/tag/", review.tag, name="trade_tag"),
    path("trades/<uuid:pk>/untag/", review.untag, name="trade_untag"),
    path("trades/<uuid:pk>/rate/", review.rate, name="trade_rate"),
    path("trades/<uuid:pk>/checklist/", review.checklist, name="trade_checklist"),
    path("trades/<uuid:pk>/notes/", notes.trade_note, name="trade_note"),
    path("trades/<uuid:pk>/files/", notes.trade_file, name="trade_file"),
    path("calendar/", days.calendar, name="calendar"),
    path("days/<day:day>/", days.day, name="day"),
    path("days/<day:day>/notes/", notes.day_note, name="day_note"),
    path("days/<day:day>/files/", notes.day_file, name="day_file"),
    path("notes/preview/", notes.preview, name="note_preview"),
    path("notes/<uuid:pk>/", notes.note, name="note"),
    path("notes/<uuid:pk>/remove/", notes.note_remove, name="note_remove"),
    path("files/<uuid:pk>/", notes.file, name="file"),
    path("files/<uuid:pk>/small/", notes.thumbnail, name="file_thumbnail"),
    path("files/<uuid:pk>/remove/", notes.file_remove, name="file_remove"),
    path("tags/", tags.tag_list, name="tags"),
    path("tags/<uuid:pk>/", tags.tag_edit, name="tag_edit"),
    path("tags/ranges/<uuid:pk>/remove/", tags.range_remove, name="tag_range_remove"),
    path("playbooks/", playbooks.playbook_list, name="playbooks"),
    path("playbooks/new/", playbooks.playbook_new, name="playbook_new"),
    path("playbooks/checklist/", review.checklist_fields, name="playbook_checklist"),
    path("playbooks/<uuid:pk>/", playbooks.playbook_edit, name="playbook_edit"),
    path("playbooks/<uuid:pk>/archive/", playbooks.archive, name="playbook_archive"),
]
