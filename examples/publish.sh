#!/bin/sh
# Publishes a real incident with curl:
#   ./publish.sh http://127.0.0.1:7911 login-9
# INCIDENT_TOKEN may have a token. An event is sent until the server has answered, and keeps its id, so that nothing is stored
# twice, also if the script is started again with the same third argument: when it began, in seconds since 1970.
set -eu

url=${1:-http://127.0.0.1:7911}
subject=${2:-login-$(date +%s)}
since=${3:-$(($(date +%s) - 60))}
number=0

# at SECONDS: the time in RFC 3339, with the `date` of GNU, BusyBox and BSD alike
at() {
  date -u -d "@$1" +%Y-%m-%dT%H:%M:%SZ 2>/dev/null || date -u -r "$1" +%Y-%m-%dT%H:%M:%SZ
}

# publish TYPE DATA: returns once the event is durable, and prints the server's answer
publish() {
  number=$((number + 1))
  event="{ \"specversion\": \"1.0\", \"id\": \"$subject-$number\", \"source\": \"/agents/example-shell\",
    \"type\": \"$1\", \"subject\": \"$subject\", \"time\": \"$(at $((since + number)))\", \"data\": $2 }"
  for _ in $(seq 60); do
    # The token goes in through a pipe, because others see the arguments of a program.
    answer=$(printf '%s\n' "${INCIDENT_TOKEN:+header = \"Authorization: Bearer $INCIDENT_TOKEN\"}" |
      curl -sS --config - --max-time 30 -w '\n%{http_code}' -H 'Content-Type: application/cloudevents+json' \
        --data-binary "$event" "$url/api/events") || answer="no answer
000"
    status=${answer##*
}
    case $status in
      2??) printf '%s\n' "${answer%
*}"; return ;;
      # Whether the event was stored is unknown after 000: the same id makes it safe to send it again.
      000 | 408 | 429 | 5??) echo "status $status; trying again" >&2; sleep 1 ;;
      *) printf '%s\n' "${answer%
*}" >&2; exit 1 ;;
    esac
  done
  echo 'the server does not answer' >&2
  exit 1
}

publish incident_started '{ "title": "Logins fail", "severity": "SEV2", "services": ["login"] }'
publish agent_action '{ "agent": "example-shell", "action": "looked", "status": "completed",
  "summary": "Errors rise since release 88", "marks": ["detected"] }'
publish system_metrics '{ "metrics": { "error_rate": 0.31 }, "users_affected": 1200 }'
publish agent_action '{ "agent": "example-shell", "action": "rolled_back", "status": "completed",
  "summary": "Rolled back release 88", "marks": ["mitigated"] }'
publish system_metrics '{ "metrics": { "error_rate": 0.001 }, "users_affected": 0 }'
publish incident_resolved '{ "outcome": "resolved", "summary": "Release 88 was rolled back" }'
