"""Routes of the hedge page, recommendations, the discipline record and the rules."""

from django.urls import URLPattern, path

from journal.views.governance import decisions, hedge, rules

urlpatterns: list[URLPattern] = [
    path("hedge/", hedge.page, name="hedge"),
    path("discipline/", decisions.discipline, name="discipline"),
    path("books/<uuid:pk>/advise/", decisions.advise, name="advise"),
    path("recommendations/<uuid:pk>/", decisions.recommendation, name="recommendation"),
    path("recommendations/<uuid:pk>/sign/", decisions.sign, name="recommendation_sign"),
    path("recommendations/<uuid:pk>/override/", decisions.override, name="recommendation_override"),
    path("recommendations/<uuid:pk>/snooze/", decisions.snooze, name="recommendation_snooze"),
    path("recommendations/<uuid:pk>/execute/", decisions.execute, name="recommendation_execute"),
    path("rules/", rules.rule_list, name="rules"),
    path("rules/presets/<slug:name>/", rules.preset_page, name="rules_preset"),
    path("books/<uuid:pk>/rules/new/", rules.new, name="rules_new"),
    path("rules/<uuid:pk>/", rules.version, name="rules_version"),
    path("rules/<uuid:pk>/document/", rules.document, name="rules_document"),
    path("rules/<uuid:pk>/evidence/", rules.act, {"action": "evidence"}, name="rules_evidence"),
    path("rules/<uuid:pk>/propose/", rules.act, {"action": "propose"}, name="rules_propose"),
    path("rules/<uuid:pk>/sign/", rules.act, {"action": "sign"}, name="rules_sign"),
    path("rules/<uuid:pk>/withdraw/", rules.act, {"action": "withdraw"}, name="rules_withdraw"),
]
