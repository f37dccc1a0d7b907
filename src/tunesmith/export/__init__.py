"""Exports models: every module here without a leading underscore is a format, named as its file."""

from tunesmith.export._export import ExportRecord as ExportRecord, export as export
