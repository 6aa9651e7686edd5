"""An agent beside your alerts: looks at each alert that fires, and says so on the incident's page.

    python3 agent.py http://127.0.0.1:7911

Needs Python 3.9 and nothing else. INCIDENT_TOKEN may have a token that may write. `investigate` is where your own agent
begins. The ids of what it publishes come from the alert's event, so that an agent which is started again adds nothing twice.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request

SOURCE = "/agents/example-investigator"
HEADERS = {"Authorization": f"Bearer {os.environ['INCIDENT_TOKEN']}"} if "INCIDENT_TOKEN" in os.environ else {}


def investigate(event):
    """Yields the actions of the agent: what it did, a summary, and further fields."""
    alert = event["data"]["summary"]
    yield "looked_at_alert", f"Looks into it: {alert}", {}
    claim = {"id": "release", "claim": "The newest release causes it", "p": 0.6}
    yield "concluded", "The errors begin with the newest release", {"confidence": 0.6, "hypotheses": [claim]}


def events(url):
    """Yields every event once, in order, beginning with the oldest open incident."""
    last = None
    while True:
        try:
            request = urllib.request.Request(f"{url}/events", headers=HEADERS | ({"Last-Event-ID": last} if last else {}))
            # The server sends something every few seconds.
            with urllib.request.urlopen(request, timeout=30) as stream:
                name = None
                for line in stream:
                    field, _, value = line.decode().rstrip("\n").partition(": ")
                    if field == "id":
                        name = value
                    elif field == "data":
                        yield json.loads(value)
                        last = name
        except urllib.error.HTTPError as error:
            if error.code not in (408, 429) and error.code < 500:
                raise SystemExit(shown(f"HTTP {error.code}: {error.read().decode(errors='replace')}")) from error
            print(shown(f"HTTP {error.code}; trying again"), file=sys.stderr)
        except (OSError, ValueError) as error:
            print(shown(f"{error}; trying again"), file=sys.stderr)
        time.sleep(1)


def publish(url, actions):
    """Adds these actions to their incident: all of them or none. Returns once they are durable."""
    body = json.dumps(actions).encode()
    headers = HEADERS | {"Content-Type": "application/cloudevents-batch+json"}
    while True:
        try:
            with urllib.request.urlopen(urllib.request.Request(f"{url}/api/events", body, headers), timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            detail = json.loads(error.read() or b"{}").get("detail")
            if error.code not in (408, 429) and error.code < 500:
                print(shown(f"not added: {detail}"), file=sys.stderr)
                return None
            wait = float(error.headers.get("Retry-After", 1))
        except (OSError, ValueError):
            # Whether they were stored is unknown: the same ids make it safe to send them again.
            wait = 0.2
        time.sleep(wait)


def shown(text):
    """What a server says, without what a terminal would obey."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def main():
    url = (sys.argv[1:] or ["http://127.0.0.1:7911"])[0].rstrip("/")
    for event in events(url):
        if event["type"] != "agent_action" or event["data"]["action"] != "alert_firing":
            continue
        actions = [
            {
                "specversion": "1.0",
                "id": f"{event['source']}-{event['id']}-{number}",
                "source": SOURCE,
                "subject": event["subject"],
                "type": "agent_action",
                # A repeat under the same id has to be equal.
                "time": event["time"],
                "data": {"agent": "investigator", "action": what, "status": "completed", "summary": summary, **more},
            }
            for number, (what, summary, more) in enumerate(investigate(event))
        ]
        if publish(url, actions):
            print(shown(f"{event['subject']}: added {len(actions)} actions"), flush=True)


try:
    main()
except KeyboardInterrupt:
    pass
