"""Pages with a count, sized by the client within bounds."""

from rest_framework.pagination import PageNumberPagination


class CountedPages(PageNumberPagination):
    """``?page=`` and ``?page_size=`` (1-200)."""

    page_size_query_param = "page_size"
    max_page_size = 200
