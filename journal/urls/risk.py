"""Routes of the risk desk, and the one on which a trader answers it."""

from django.urls import URLPattern, path

from journal.views.risk import accounts, cases, console, limits, operations

urlpatterns: list[URLPattern] = [
    path("risk/", console.console, name="risk"),
    path("risk/firm/", console.firm, name="risk_firm"),
    path("risk/firm/<int:spot>/<int:vix>/", console.cell, name="risk_cell"),
    path("risk/export.csv", console.export, {"kind": "csv"}, name="risk_csv"),
    path("risk/export.xlsx", console.export, {"kind": "xlsx"}, name="risk_xlsx"),
    path("risk/cases/", cases.case_index, name="risk_cases"),
    path("risk/cases/<uuid:pk>/", cases.case_detail, name="risk_case"),
    path("risk/cases/<uuid:pk>/acknowledge/", cases.acknowledge, name="risk_acknowledge"),
    path("risk/cases/<uuid:pk>/assign/", cases.assign, name="risk_assign"),
    path("risk/cases/<uuid:pk>/comment/", cases.comment, name="risk_comment"),
    path("risk/limits/", limits.limits, name="risk_limits"),
    path("risk/limits/<uuid:pk>/approve/", limits.decide, {"what": "approve"}, name="risk_limit_approve"),
    path("risk/limits/<uuid:pk>/refuse/", limits.decide, {"what": "refuse"}, name="risk_limit_refuse"),
    path("risk/limits/<uuid:pk>/end/", limits.decide, {"what": "end"}, name="risk_limit_end"),
    path("risk/groups/", limits.groups, name="risk_groups"),
    path("risk/groups/<uuid:pk>/", limits.group, name="risk_group"),
    path("risk/operations/", operations.operations, name="risk_operations"),
    path("risk/audit/", operations.audit, name="risk_audit"),
    path("risk/accounts/<uuid:pk>/", accounts.account, name="risk_account"),
    path("risk/jobs/<uuid:pk>/retry/", operations.retry_job, name="risk_retry_job"),
    path("breaches/", cases.trader_cases, name="breaches"),
    path("breaches/<uuid:pk>/", cases.trader_case, name="breach"),
]
