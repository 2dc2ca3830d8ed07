"""Routes of accounts. They live under /books/, since /accounts/ is sign-in."""

from django.urls import URLPattern, path

from journal.views import accounts, members, switcher

urlpatterns: list[URLPattern] = [
    path("books/", accounts.account_list, name="accounts"),
    path("books/new/", accounts.account_new, name="account_create"),
    path("books/switch/", switcher.switch, name="switch_account"),
    path("books/<uuid:pk>/", accounts.account_edit, name="account_edit"),
    path("books/<uuid:pk>/archive/", accounts.archive, name="account_archive"),
    path("books/<uuid:pk>/members/", members.page, name="members"),
    path("books/<uuid:pk>/members/<int:membership>/remove/", members.remove, name="member_remove"),
    path("approvals/<uuid:pk>/sign/", members.decide, {"action": "sign"}, name="approvals_sign"),
    path("approvals/<uuid:pk>/withdraw/", members.decide, {"action": "withdraw"}, name="approvals_withdraw"),
]
