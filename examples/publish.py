"""Publishes a real incident as an agent would, with the official CloudEvents SDK:

    python3 publish.py http://127.0.0.1:7911 login-9

Needs the package `cloudevents`. INCIDENT_TOKEN may have a token. Every event keeps its id until the server has answered, so
that an event which is sent again, or a program which is started again with the same --since, stores nothing twice.
"""

import argparse
import json
import os
import sys
import time
import urllib.error
import urllib.request
from datetime import datetime, timedelta, timezone

from cloudevents.core.bindings.http import to_structured_event
from cloudevents.core.v1.event import CloudEvent

SOURCE = "/agents/example-python"
TRIES = 60


class Refused(Exception):
    """The server will never take this event: a problem document says why."""


def send(url, event):
    """Returns once the event is durable: its place, and whether it was there before."""
    message = to_structured_event(event)
    headers = dict(message.headers)
    if token := os.environ.get("INCIDENT_TOKEN"):
        headers["Authorization"] = f"Bearer {token}"
    for _ in range(TRIES):
        request = urllib.request.Request(f"{url}/api/events", message.body, headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)["results"][0]
        except urllib.error.HTTPError as error:
            if error.code not in (408, 429) and error.code < 500:
                problem = json.loads(error.read() or b"{}")
                raise Refused(f"{problem.get('type')}: {problem.get('detail')}") from error
            why, wait = f"HTTP {error.code}", float(error.headers.get("Retry-After", 1))
        except (OSError, ValueError) as error:
            # Whether the event was stored is unknown: the same id makes it safe to send it again.
            why, wait = str(error), 0.2
        print(shown(f"{why}; trying again"), file=sys.stderr)
        time.sleep(wait)
    raise SystemExit("the server does not answer")


def incident(subject, since):
    """The events of an incident. The same subject and time give the same events under the same ids."""
    number = 0

    def event(kind, data):
        nonlocal number
        number += 1
        attributes = {
            "id": f"{subject}-{number}",
            "source": SOURCE,
            "type": kind,
            "subject": subject,
            "time": since + timedelta(seconds=number),
        }
        return CloudEvent(attributes, data)

    def action(what, summary, **more):
        return event(
            "agent_action",
            {"agent": "example-python", "action": what, "status": "completed", "summary": summary, **more},
        )

    yield event("incident_started", {"title": "Logins fail", "severity": "SEV2", "services": ["login"]})
    yield action("looked", "Errors rise since release 88", marks=["detected"])
    yield event("system_metrics", {"metrics": {"error_rate": 0.31}, "users_affected": 1200})
    pool = {"id": "pool", "claim": "The connection pool is exhausted", "p": 0.8}
    yield action("concluded", "The pool is exhausted", marks=["diagnosed"], confidence=0.8, hypotheses=[pool])
    yield action("rolled_back", "Rolled back release 88", marks=["mitigated"])
    yield event("system_metrics", {"metrics": {"error_rate": 0.001}, "users_affected": 0})
    yield event("incident_resolved", {"outcome": "resolved", "summary": "Release 88 was rolled back"})


def shown(text):
    """What a server says, without what a terminal would obey."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url", nargs="?", default="http://127.0.0.1:7911")
    parser.add_argument("subject", nargs="?", default=f"login-{int(time.time())}")
    parser.add_argument("--since", type=float, default=time.time() - 60, help="when it began, in seconds since 1970")
    options = parser.parse_args()
    since = datetime.fromtimestamp(options.since, timezone.utc)
    for event in incident(options.subject, since):
        try:
            place = send(options.url.rstrip("/"), event)
        except Refused as refused:
            raise SystemExit(shown(str(refused))) from refused
        repeat = " (a repeat)" if place.get("duplicate") else ""
        print(f"{place['position']} {place['index']} {event.get_type()}{repeat}", flush=True)


main()
