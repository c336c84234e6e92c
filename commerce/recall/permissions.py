"""Permissions of recall: indexing sees every customer's texts, so no role has it; the system has all."""

INDEX = "recall:index"
