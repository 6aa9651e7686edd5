"""Checks the schema that comes on stdin with Python's jsonschema, and judges the messages beside it."""

import json
import sys

from jsonschema import Draft202012Validator

given = json.load(sys.stdin)
Draft202012Validator.check_schema(given["schema"])
checker = Draft202012Validator.FORMAT_CHECKER
assert "date-time" in checker.checkers, "rfc3339-validator is missing"
validator = Draft202012Validator(given["schema"], format_checker=checker)
wrong = [f"refused {message}: {error.message}" for message in given["valid"] for error in validator.iter_errors(message)]
wrong += [f"taken {message}" for message in given["invalid"] if validator.is_valid(message)]
print("\n".join(wrong) or f'{len(given["valid"])} valid, {len(given["invalid"])} invalid')
sys.exit(bool(wrong))
