"""Imports every module that registers a job handler, so that workers know all kinds."""
