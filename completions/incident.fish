# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_incident_global_optspecs
    string join \n color= v/verbose q/quiet h/help V/version
end

function __fish_incident_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_incident_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_incident_using_subcommand
    set -l cmd (__fish_incident_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c incident -n "__fish_incident_needs_command" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Even if the output is not a terminal'
never\t'Never'"
complete -c incident -n "__fish_incident_needs_command" -s v -l verbose -d 'Log more details (-vv: everything)'
complete -c incident -n "__fish_incident_needs_command" -s q -l quiet -d 'Print only errors and results'
complete -c incident -n "__fish_incident_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c incident -n "__fish_incident_needs_command" -s V -l version -d 'Print version'
complete -c incident -n "__fish_incident_needs_command" -f -a "serve" -d 'Run a server that plays incidents and streams them'
complete -c incident -n "__fish_incident_needs_command" -f -a "trigger" -d 'Start an incident on a running server and follow it until it ends'
complete -c incident -n "__fish_incident_needs_command" -f -a "watch" -d 'Follow the events of a server in the terminal'
complete -c incident -n "__fish_incident_needs_command" -f -a "validate" -d 'Check scenarios, recordings or a running server against the contract of the stream'
complete -c incident -n "__fish_incident_needs_command" -f -a "report" -d 'Write the post-incident report of an incident as Markdown'
complete -c incident -n "__fish_incident_needs_command" -f -a "health" -d 'Ask a server whether it is alive'
complete -c incident -n "__fish_incident_needs_command" -f -a "check-journal" -d 'Check every event of a journal file, and salvage a damaged one'
complete -c incident -n "__fish_incident_needs_command" -f -a "schema" -d 'Print the JSON Schema of the messages'
complete -c incident -n "__fish_incident_needs_command" -f -a "completions" -d 'Print a completion script for a shell'
complete -c incident -n "__fish_incident_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c incident -n "__fish_incident_using_subcommand serve" -l scenarios -d 'Folder with the scenario files [default: scenarios/ if it exists, else the built-in scenarios]' -r -f -a "(__fish_complete_directories)"
complete -c incident -n "__fish_incident_using_subcommand serve" -l trigger -d 'Start this scenario at once; repeat the flag for several' -r -f -a "api-overload\t''
database-outage\t''
ddos-attack\t''
memory-leak\t''
storage-failure\t''"
complete -c incident -n "__fish_incident_using_subcommand serve" -l replay -d 'Replay a recording, made with `incident watch --record`, as if it happened now. The replay is kept in the journal: after a restart with the same flags it continues where it stopped' -r -F
complete -c incident -n "__fish_incident_using_subcommand serve" -l speed -d 'Play this many times faster than the scenario says or the recording was' -r
complete -c incident -n "__fish_incident_using_subcommand serve" -l seed -d 'Seed of noise and failures for all incidents, instead of the seed in each scenario' -r
complete -c incident -n "__fish_incident_using_subcommand serve" -l dashboard -d 'Serve the dashboard from this folder instead of the built-in files, for development' -r -f -a "(__fish_complete_directories)"
complete -c incident -n "__fish_incident_using_subcommand serve" -l bind -d 'Address to listen on' -r
complete -c incident -n "__fish_incident_using_subcommand serve" -s p -l port -d 'Port to listen on; 0 takes any free port' -r
complete -c incident -n "__fish_incident_using_subcommand serve" -l base-path -d 'Path below which a proxy publishes the server, as in /incident. The proxy may remove it from requests or not' -r
complete -c incident -n "__fish_incident_using_subcommand serve" -l heartbeat -d 'Time between two heartbeats to a client' -r
complete -c incident -n "__fish_incident_using_subcommand serve" -l drain -d 'The longest time that stopping may take: clients are disconnected over this time, not all at once' -r
complete -c incident -n "__fish_incident_using_subcommand serve" -l journal -d 'File to keep the events in, or `memory` to keep them only while the server runs [default: journal.db in the platform\'s state directory]' -r -F
complete -c incident -n "__fish_incident_using_subcommand serve" -l retain-events -d 'Keep this many events; older ones are deleted, except those of open incidents' -r
complete -c incident -n "__fish_incident_using_subcommand serve" -l retain-age -d 'Keep events for this long; older ones are deleted, except those of open incidents [default: no limit]' -r
complete -c incident -n "__fish_incident_using_subcommand serve" -l token-file -d 'Require one of the tokens in this file from every client. The file has one `read TOKEN` or `write TOKEN` per line, and is read again when it changes [default: the variables `INCIDENT_TOKEN` (write) and `INCIDENT_READ_TOKEN`]' -r -F
complete -c incident -n "__fish_incident_using_subcommand serve" -l allow-origin -d 'Allow pages of this origin to connect and to start incidents; repeat the flag for several' -r
complete -c incident -n "__fish_incident_using_subcommand serve" -l tls-cert -d 'PEM file with the certificate chain, the server\'s own first; this file and the key are read again when they change' -r -F
complete -c incident -n "__fish_incident_using_subcommand serve" -l tls-key -d 'PEM file with the private key of the certificate' -r -F
complete -c incident -n "__fish_incident_using_subcommand serve" -l max-clients -d 'The most clients at once, if the limit of open files allows as many; more get status 503' -r
complete -c incident -n "__fish_incident_using_subcommand serve" -l admit-rate -d 'New connections per second from one address; more get status 429' -r
complete -c incident -n "__fish_incident_using_subcommand serve" -l write-deadline -d 'Disconnect a client that accepts no data for this long' -r
complete -c incident -n "__fish_incident_using_subcommand serve" -l request-deadline -d 'Close a connection whose request, including the TLS handshake, has not arrived after this long' -r
complete -c incident -n "__fish_incident_using_subcommand serve" -l max-header-bytes -d 'The largest request head: request line and headers' -r
complete -c incident -n "__fish_incident_using_subcommand serve" -l max-message-bytes -d 'The largest message from a client; the server ignores the content of messages' -r
complete -c incident -n "__fish_incident_using_subcommand serve" -l max-message-rate -d 'Messages and pings per second from a client' -r
complete -c incident -n "__fish_incident_using_subcommand serve" -l log-format -d 'Format of the log on stderr; with `json` the banner is a line of the log' -r -f -a "text\t'Lines of text for people'
json\t'One JSON object per line, and nothing else on stderr'"
complete -c incident -n "__fish_incident_using_subcommand serve" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Even if the output is not a terminal'
never\t'Never'"
complete -c incident -n "__fish_incident_using_subcommand serve" -l open -d 'Open the dashboard in the browser'
complete -c incident -n "__fish_incident_using_subcommand serve" -l allow-remote -d 'Allow an address in --bind that other machines can reach, though there are no tokens: every machine that reaches it can start incidents'
complete -c incident -n "__fish_incident_using_subcommand serve" -l allow-forwarded-prefix -d 'Take the base path from the X-Forwarded-Prefix of each request. Only behind a proxy that sets or removes this header'
complete -c incident -n "__fish_incident_using_subcommand serve" -l json -d 'Print one JSON object with the server\'s URLs on stdout when it is ready, instead of the banner'
complete -c incident -n "__fish_incident_using_subcommand serve" -s v -l verbose -d 'Log more details (-vv: everything)'
complete -c incident -n "__fish_incident_using_subcommand serve" -s q -l quiet -d 'Print only errors and results'
complete -c incident -n "__fish_incident_using_subcommand serve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c incident -n "__fish_incident_using_subcommand serve" -s V -l version -d 'Print version'
complete -c incident -n "__fish_incident_using_subcommand trigger" -l url -d 'URL of the server: http(s) for its page or ws(s) for its WebSocket; HOST:PORT is enough' -r -f
complete -c incident -n "__fish_incident_using_subcommand trigger" -l cacert -d 'PEM file with the certificates to trust: of an authority, or the server\'s own [default: the variable `INCIDENT_CACERT`, else the system\'s authorities]' -r -F
complete -c incident -n "__fish_incident_using_subcommand trigger" -l token-file -d 'File with the token to send [default: the variable `INCIDENT_TOKEN`]' -r -F
complete -c incident -n "__fish_incident_using_subcommand trigger" -l timeout -d 'Stop waiting, with exit status 4, if the incident has not ended after this long' -r
complete -c incident -n "__fish_incident_using_subcommand trigger" -l speed -d 'Play this many times faster than the scenario says [default: the server\'s --speed]' -r
complete -c incident -n "__fish_incident_using_subcommand trigger" -l seed -d 'Seed of noise and failures [default: the scenario\'s]' -r
complete -c incident -n "__fish_incident_using_subcommand trigger" -l report -d 'Write the post-incident report as Markdown to this file when the incident has ended' -r -F
complete -c incident -n "__fish_incident_using_subcommand trigger" -l cancel -d 'Cancel this incident instead of starting one' -r
complete -c incident -n "__fish_incident_using_subcommand trigger" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Even if the output is not a terminal'
never\t'Never'"
complete -c incident -n "__fish_incident_using_subcommand trigger" -l no-wait -d 'Print the incident\'s id and exit; the incident goes on'
complete -c incident -n "__fish_incident_using_subcommand trigger" -l json -d 'Print the incident\'s events on stdout, one JSON object per line'
complete -c incident -n "__fish_incident_using_subcommand trigger" -s v -l verbose -d 'Log more details (-vv: everything)'
complete -c incident -n "__fish_incident_using_subcommand trigger" -s q -l quiet -d 'Print only errors and results'
complete -c incident -n "__fish_incident_using_subcommand trigger" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c incident -n "__fish_incident_using_subcommand trigger" -s V -l version -d 'Print version'
complete -c incident -n "__fish_incident_using_subcommand watch" -l url -d 'URL of the server: http(s) for its page or ws(s) for its WebSocket; HOST:PORT is enough' -r -f
complete -c incident -n "__fish_incident_using_subcommand watch" -l cacert -d 'PEM file with the certificates to trust: of an authority, or the server\'s own [default: the variable `INCIDENT_CACERT`, else the system\'s authorities]' -r -F
complete -c incident -n "__fish_incident_using_subcommand watch" -l token-file -d 'File with the token to send [default: the variable `INCIDENT_TOKEN`]' -r -F
complete -c incident -n "__fish_incident_using_subcommand watch" -l after -d 'Start after this position, as in an event\'s source and id; 0 replays all events that the server has kept [default: the start of the oldest open incident]' -r
complete -c incident -n "__fish_incident_using_subcommand watch" -l tail -d 'Show only the last N of the replayed events' -r
complete -c incident -n "__fish_incident_using_subcommand watch" -l incident -d 'Show only this incident' -r
complete -c incident -n "__fish_incident_using_subcommand watch" -l phase -d 'Show only events of this phase; repeat the flag for several' -r
complete -c incident -n "__fish_incident_using_subcommand watch" -l type -d 'Show only events of this type; repeat the flag for several' -r -f -a "incident_started\t''
agent_action\t''
system_metrics\t''
incident_resolved\t''"
complete -c incident -n "__fish_incident_using_subcommand watch" -l min-confidence -d 'Show only actions with at least this confidence, from 0 to 1' -r
complete -c incident -n "__fish_incident_using_subcommand watch" -l include -d 'Show only events whose agent, action or summary matches' -r
complete -c incident -n "__fish_incident_using_subcommand watch" -l exclude -d 'Hide events whose agent, action or summary matches' -r
complete -c incident -n "__fish_incident_using_subcommand watch" -l record -d 'Record every event that arrives, shown or not, in this file, one JSON object per line, for `incident serve --replay`, `incident report` and `incident validate`' -r -F
complete -c incident -n "__fish_incident_using_subcommand watch" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Even if the output is not a terminal'
never\t'Never'"
complete -c incident -n "__fish_incident_using_subcommand watch" -l no-follow -d 'Exit when all past events were shown'
complete -c incident -n "__fish_incident_using_subcommand watch" -l until-resolved -d 'Exit when the incident has ended; without --incident, the first that ends from now on'
complete -c incident -n "__fish_incident_using_subcommand watch" -l json -d 'Print each event verbatim, one JSON object per line'
complete -c incident -n "__fish_incident_using_subcommand watch" -l utc -d 'Show the time of day in UTC instead of the time since the start of the incident'
complete -c incident -n "__fish_incident_using_subcommand watch" -l no-reconnect -d 'Exit when the connection ends, instead of reconnecting'
complete -c incident -n "__fish_incident_using_subcommand watch" -s v -l verbose -d 'Log more details (-vv: everything)'
complete -c incident -n "__fish_incident_using_subcommand watch" -s q -l quiet -d 'Print only errors and results'
complete -c incident -n "__fish_incident_using_subcommand watch" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c incident -n "__fish_incident_using_subcommand watch" -s V -l version -d 'Print version'
complete -c incident -n "__fish_incident_using_subcommand validate" -l url -d 'Check the running server at this URL instead: http(s) for its page or ws(s) for its WebSocket; HOST:PORT is enough' -r -f
complete -c incident -n "__fish_incident_using_subcommand validate" -l cacert -d 'PEM file with the certificates to trust: of an authority, or the server\'s own [default: the variable `INCIDENT_CACERT`, else the system\'s authorities]' -r -F
complete -c incident -n "__fish_incident_using_subcommand validate" -l token-file -d 'File with the token to send [default: the variable `INCIDENT_TOKEN`]' -r -F
complete -c incident -n "__fish_incident_using_subcommand validate" -l trigger -d 'Start this scenario on the server and check its incident' -r -f -a "api-overload\t''
database-outage\t''
ddos-attack\t''
memory-leak\t''
storage-failure\t''"
complete -c incident -n "__fish_incident_using_subcommand validate" -l for -d 'Listen to the server for this long, instead of until an incident has ended' -r
complete -c incident -n "__fish_incident_using_subcommand validate" -l timeout -d 'The longest time to wait for the end of an incident' -r
complete -c incident -n "__fish_incident_using_subcommand validate" -l speed -d 'Play scenarios this many times faster than they say' -r
complete -c incident -n "__fish_incident_using_subcommand validate" -l tolerance -d 'How far from its due time an event may arrive' -r
complete -c incident -n "__fish_incident_using_subcommand validate" -l expect -d 'Check the [expect] table of this scenario file' -r -F
complete -c incident -n "__fish_incident_using_subcommand validate" -l rule -d 'Check only this rule; repeat the flag for several' -r -f -a "envelope\t''
schema\t''
order\t''
gap\t''
duplicate\t''
lifecycle\t''
cost\t''
confidence\t''
tally\t''
resume\t''
expect\t''
pacing\t''
silence\t''
heartbeat\t''"
complete -c incident -n "__fish_incident_using_subcommand validate" -l skip -d 'Do not check this rule; repeat the flag for several' -r -f -a "envelope\t''
schema\t''
order\t''
gap\t''
duplicate\t''
lifecycle\t''
cost\t''
confidence\t''
tally\t''
resume\t''
expect\t''
pacing\t''
silence\t''
heartbeat\t''"
complete -c incident -n "__fish_incident_using_subcommand validate" -l format -d 'Format of the result on stdout' -r -f -a "pretty\t'Text for people'
json\t'One JSON object'"
complete -c incident -n "__fish_incident_using_subcommand validate" -l transcripts -d 'Folder for the transcripts of what was received [default: a new temporary folder]' -r -f -a "(__fish_complete_directories)"
complete -c incident -n "__fish_incident_using_subcommand validate" -l timeline -d 'Print the plan that a scenario file compiles to, and exit' -r -F
complete -c incident -n "__fish_incident_using_subcommand validate" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Even if the output is not a terminal'
never\t'Never'"
complete -c incident -n "__fish_incident_using_subcommand validate" -l real-time -d 'Play scenarios at speed 1, and check the arrival times too'
complete -c incident -n "__fish_incident_using_subcommand validate" -l list -d 'Print the rules and what they check, and exit'
complete -c incident -n "__fish_incident_using_subcommand validate" -s v -l verbose -d 'Log more details (-vv: everything)'
complete -c incident -n "__fish_incident_using_subcommand validate" -s q -l quiet -d 'Print only errors and results'
complete -c incident -n "__fish_incident_using_subcommand validate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c incident -n "__fish_incident_using_subcommand validate" -s V -l version -d 'Print version'
complete -c incident -n "__fish_incident_using_subcommand report" -l url -d 'URL of the server: http(s) for its page or ws(s) for its WebSocket; HOST:PORT is enough' -r -f
complete -c incident -n "__fish_incident_using_subcommand report" -l cacert -d 'PEM file with the certificates to trust: of an authority, or the server\'s own [default: the variable `INCIDENT_CACERT`, else the system\'s authorities]' -r -F
complete -c incident -n "__fish_incident_using_subcommand report" -l token-file -d 'File with the token to send [default: the variable `INCIDENT_TOKEN`]' -r -F
complete -c incident -n "__fish_incident_using_subcommand report" -l incident -d 'Report only this incident of a recording with several' -r
complete -c incident -n "__fish_incident_using_subcommand report" -s o -l output -d 'Write the report to this file instead of stdout' -r -F
complete -c incident -n "__fish_incident_using_subcommand report" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Even if the output is not a terminal'
never\t'Never'"
complete -c incident -n "__fish_incident_using_subcommand report" -s v -l verbose -d 'Log more details (-vv: everything)'
complete -c incident -n "__fish_incident_using_subcommand report" -s q -l quiet -d 'Print only errors and results'
complete -c incident -n "__fish_incident_using_subcommand report" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c incident -n "__fish_incident_using_subcommand report" -s V -l version -d 'Print version'
complete -c incident -n "__fish_incident_using_subcommand health" -l url -d 'URL of the server: http(s) for its page or ws(s) for its WebSocket; HOST:PORT is enough' -r -f
complete -c incident -n "__fish_incident_using_subcommand health" -l cacert -d 'PEM file with the certificates to trust: of an authority, or the server\'s own [default: the variable `INCIDENT_CACERT`, else the system\'s authorities]' -r -F
complete -c incident -n "__fish_incident_using_subcommand health" -l timeout -d 'How long the answer may take' -r
complete -c incident -n "__fish_incident_using_subcommand health" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Even if the output is not a terminal'
never\t'Never'"
complete -c incident -n "__fish_incident_using_subcommand health" -l ready -d 'Ask whether clients are let in and events come, too: not while the server stops or its journal fails'
complete -c incident -n "__fish_incident_using_subcommand health" -s v -l verbose -d 'Log more details (-vv: everything)'
complete -c incident -n "__fish_incident_using_subcommand health" -s q -l quiet -d 'Print only errors and results'
complete -c incident -n "__fish_incident_using_subcommand health" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c incident -n "__fish_incident_using_subcommand health" -s V -l version -d 'Print version'
complete -c incident -n "__fish_incident_using_subcommand check-journal" -l salvage -d 'Copy the events before the first damage to this new file, as a new stream' -r -F
complete -c incident -n "__fish_incident_using_subcommand check-journal" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Even if the output is not a terminal'
never\t'Never'"
complete -c incident -n "__fish_incident_using_subcommand check-journal" -l json -d 'Print the result as one JSON object'
complete -c incident -n "__fish_incident_using_subcommand check-journal" -s v -l verbose -d 'Log more details (-vv: everything)'
complete -c incident -n "__fish_incident_using_subcommand check-journal" -s q -l quiet -d 'Print only errors and results'
complete -c incident -n "__fish_incident_using_subcommand check-journal" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c incident -n "__fish_incident_using_subcommand check-journal" -s V -l version -d 'Print version'
complete -c incident -n "__fish_incident_using_subcommand schema" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Even if the output is not a terminal'
never\t'Never'"
complete -c incident -n "__fish_incident_using_subcommand schema" -s v -l verbose -d 'Log more details (-vv: everything)'
complete -c incident -n "__fish_incident_using_subcommand schema" -s q -l quiet -d 'Print only errors and results'
complete -c incident -n "__fish_incident_using_subcommand schema" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c incident -n "__fish_incident_using_subcommand schema" -s V -l version -d 'Print version'
complete -c incident -n "__fish_incident_using_subcommand completions" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Even if the output is not a terminal'
never\t'Never'"
complete -c incident -n "__fish_incident_using_subcommand completions" -s v -l verbose -d 'Log more details (-vv: everything)'
complete -c incident -n "__fish_incident_using_subcommand completions" -s q -l quiet -d 'Print only errors and results'
complete -c incident -n "__fish_incident_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c incident -n "__fish_incident_using_subcommand completions" -s V -l version -d 'Print version'
complete -c incident -n "__fish_incident_using_subcommand help; and not __fish_seen_subcommand_from serve trigger watch validate report health check-journal schema completions help" -f -a "serve" -d 'Run a server that plays incidents and streams them'
complete -c incident -n "__fish_incident_using_subcommand help; and not __fish_seen_subcommand_from serve trigger watch validate report health check-journal schema completions help" -f -a "trigger" -d 'Start an incident on a running server and follow it until it ends'
complete -c incident -n "__fish_incident_using_subcommand help; and not __fish_seen_subcommand_from serve trigger watch validate report health check-journal schema completions help" -f -a "watch" -d 'Follow the events of a server in the terminal'
complete -c incident -n "__fish_incident_using_subcommand help; and not __fish_seen_subcommand_from serve trigger watch validate report health check-journal schema completions help" -f -a "validate" -d 'Check scenarios, recordings or a running server against the contract of the stream'
complete -c incident -n "__fish_incident_using_subcommand help; and not __fish_seen_subcommand_from serve trigger watch validate report health check-journal schema completions help" -f -a "report" -d 'Write the post-incident report of an incident as Markdown'
complete -c incident -n "__fish_incident_using_subcommand help; and not __fish_seen_subcommand_from serve trigger watch validate report health check-journal schema completions help" -f -a "health" -d 'Ask a server whether it is alive'
complete -c incident -n "__fish_incident_using_subcommand help; and not __fish_seen_subcommand_from serve trigger watch validate report health check-journal schema completions help" -f -a "check-journal" -d 'Check every event of a journal file, and salvage a damaged one'
complete -c incident -n "__fish_incident_using_subcommand help; and not __fish_seen_subcommand_from serve trigger watch validate report health check-journal schema completions help" -f -a "schema" -d 'Print the JSON Schema of the messages'
complete -c incident -n "__fish_incident_using_subcommand help; and not __fish_seen_subcommand_from serve trigger watch validate report health check-journal schema completions help" -f -a "completions" -d 'Print a completion script for a shell'
complete -c incident -n "__fish_incident_using_subcommand help; and not __fish_seen_subcommand_from serve trigger watch validate report health check-journal schema completions help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
