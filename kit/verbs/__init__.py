"""Verbs of the command line: one file each, its `command` a click object.

A file may name what the launcher installs first: EXTRAS = "eval,test" (extras of pyproject.toml).
"""
