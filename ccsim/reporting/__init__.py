"""REPORT: a page for people, a folder for the record; both the same bytes for the same result."""

from ccsim.reporting.folder import write_results
from ccsim.reporting.html import report_html

__all__ = ["report_html", "write_results"]
