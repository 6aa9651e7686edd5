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
always\t'Always'
never\t'Never'"
complete -c incident -n "__fish_incident_needs_command" -s v -l verbose -d 'Say more about what happens (twice: everything)'
complete -c incident -n "__fish_incident_needs_command" -s q -l quiet -d 'Say only what goes wrong'
complete -c incident -n "__fish_incident_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c incident -n "__fish_incident_needs_command" -s V -l version -d 'Print version'
complete -c incident -n "__fish_incident_needs_command" -f -a "serve" -d 'Play incidents and stream them to dashboards, terminals and programs'
complete -c incident -n "__fish_incident_needs_command" -f -a "trigger" -d 'Start an incident on a running server and follow it to its end'
complete -c incident -n "__fish_incident_needs_command" -f -a "watch" -d 'Follow a stream in the terminal'
complete -c incident -n "__fish_incident_needs_command" -f -a "validate" -d 'Check that scenarios, recordings or a running server keep the contract'
complete -c incident -n "__fish_incident_needs_command" -f -a "check-journal" -d 'Check every event of a journal file, and save what is sound of a damaged one'
complete -c incident -n "__fish_incident_needs_command" -f -a "report" -d 'Write the post-incident report of an incident'
complete -c incident -n "__fish_incident_needs_command" -f -a "schema" -d 'Print the JSON Schema of the messages'
complete -c incident -n "__fish_incident_needs_command" -f -a "completions" -d 'Print a completion script for a shell'
complete -c incident -n "__fish_incident_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c incident -n "__fish_incident_using_subcommand serve" -l bind -d 'Address to listen on' -r
complete -c incident -n "__fish_incident_using_subcommand serve" -s p -l port -d 'Port to listen on; 0 takes any free one' -r
complete -c incident -n "__fish_incident_using_subcommand serve" -l scenarios -d 'Folder of scenario files [default: scenarios/ if there is one, else the shipped ones]' -r -F
complete -c incident -n "__fish_incident_using_subcommand serve" -l trigger -d 'Start this scenario at once; may be given several times' -r -f -a "api-overload\t''
database-outage\t''
ddos-attack\t''
memory-leak\t''
storage-failure\t''"
complete -c incident -n "__fish_incident_using_subcommand serve" -l replay -d 'Play this recording (of `incident watch --record`) as if it happened now. It goes into the journal like everything else: a server that is started again in the middle of it goes on with it' -r -F
complete -c incident -n "__fish_incident_using_subcommand serve" -l speed -d 'Play this many times faster than the scenario says, or than it was recorded' -r
complete -c incident -n "__fish_incident_using_subcommand serve" -l seed -d 'Seed of every incident, instead of each scenario\'s own' -r
complete -c incident -n "__fish_incident_using_subcommand serve" -l journal -d 'Where to keep what happens: a file, or `memory` [default: journal.db in the platform\'s state directory]' -r
complete -c incident -n "__fish_incident_using_subcommand serve" -l retain-events -d 'Events to keep; those of open incidents are always kept' -r
complete -c incident -n "__fish_incident_using_subcommand serve" -l retain-age -d 'Keep events for this long; those of open incidents are always kept' -r
complete -c incident -n "__fish_incident_using_subcommand serve" -l dashboard -d 'Serve the page from this folder instead of the built-in one, to work on it' -r -F
complete -c incident -n "__fish_incident_using_subcommand serve" -l max-clients -d 'The most clients at once; more are told 503' -r
complete -c incident -n "__fish_incident_using_subcommand serve" -l admit-rate -d 'New connections a second from one address; more are told 429' -r
complete -c incident -n "__fish_incident_using_subcommand serve" -l write-deadline -d 'How long a client may take nothing before it is closed' -r
complete -c incident -n "__fish_incident_using_subcommand serve" -l request-deadline -d 'How long a request, its TLS handshake included, may take to come' -r
complete -c incident -n "__fish_incident_using_subcommand serve" -l max-header-bytes -d 'The largest head of a request' -r
complete -c incident -n "__fish_incident_using_subcommand serve" -l max-message-bytes -d 'The largest message a client may send, though nobody reads it' -r
complete -c incident -n "__fish_incident_using_subcommand serve" -l max-message-rate -d 'Messages and pings a second that a client may send' -r
complete -c incident -n "__fish_incident_using_subcommand serve" -l tls-cert -d 'Certificate chain in PEM, the server\'s own first; read again when it changes' -r -F
complete -c incident -n "__fish_incident_using_subcommand serve" -l tls-key -d 'Its private key in PEM' -r -F
complete -c incident -n "__fish_incident_using_subcommand serve" -l heartbeat -d 'Time between heartbeats' -r
complete -c incident -n "__fish_incident_using_subcommand serve" -l drain -d 'The longest that stopping may take' -r
complete -c incident -n "__fish_incident_using_subcommand serve" -l token-file -d 'Ask everybody for one of the tokens in this file, which is read again when it changes: `read TOKEN` or `write TOKEN` a line [default: the variables `INCIDENT_TOKEN` (write) and `INCIDENT_READ_TOKEN`]' -r -F
complete -c incident -n "__fish_incident_using_subcommand serve" -l allow-origin -d 'Another origin whose pages may connect; may be given several times' -r
complete -c incident -n "__fish_incident_using_subcommand serve" -l log-format -d 'How to write the log on stderr; as JSON the banner is a line of it' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line, and nothing else on stderr'"
complete -c incident -n "__fish_incident_using_subcommand serve" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c incident -n "__fish_incident_using_subcommand serve" -l open -d 'Open the dashboard in the browser'
complete -c incident -n "__fish_incident_using_subcommand serve" -l allow-remote -d 'Listen without tokens on an address that other machines reach; whoever reaches it can start incidents'
complete -c incident -n "__fish_incident_using_subcommand serve" -l json -d 'Print {"event":"ready",…} on stdout instead of the banner'
complete -c incident -n "__fish_incident_using_subcommand serve" -s v -l verbose -d 'Say more about what happens (twice: everything)'
complete -c incident -n "__fish_incident_using_subcommand serve" -s q -l quiet -d 'Say only what goes wrong'
complete -c incident -n "__fish_incident_using_subcommand serve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c incident -n "__fish_incident_using_subcommand serve" -s V -l version -d 'Print version'
complete -c incident -n "__fish_incident_using_subcommand trigger" -l url -d 'The server\'s WebSocket' -r
complete -c incident -n "__fish_incident_using_subcommand trigger" -l cacert -d 'File with the certificates, in PEM, of the only authorities to believe of a wss:// server, or with the server\'s own [default: the variable `INCIDENT_CACERT`, else the system\'s authorities]' -r -F
complete -c incident -n "__fish_incident_using_subcommand trigger" -l token-file -d 'File with the token to show to the server [default: the variable `INCIDENT_TOKEN`]' -r -F
complete -c incident -n "__fish_incident_using_subcommand trigger" -l timeout -d 'Give up when it is not resolved after this long' -r
complete -c incident -n "__fish_incident_using_subcommand trigger" -l speed -d 'Play this many times faster than the scenario says' -r
complete -c incident -n "__fish_incident_using_subcommand trigger" -l seed -d 'Seed that decides noise and failures' -r
complete -c incident -n "__fish_incident_using_subcommand trigger" -l report -d 'When it has ended, write its post-incident report to this file, as Markdown' -r -F
complete -c incident -n "__fish_incident_using_subcommand trigger" -l cancel -d 'Cancel this incident instead of starting one' -r
complete -c incident -n "__fish_incident_using_subcommand trigger" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c incident -n "__fish_incident_using_subcommand trigger" -l no-wait -d 'Print the incident\'s id and leave it running'
complete -c incident -n "__fish_incident_using_subcommand trigger" -l json -d 'Print the incident\'s events as NDJSON'
complete -c incident -n "__fish_incident_using_subcommand trigger" -s v -l verbose -d 'Say more about what happens (twice: everything)'
complete -c incident -n "__fish_incident_using_subcommand trigger" -s q -l quiet -d 'Say only what goes wrong'
complete -c incident -n "__fish_incident_using_subcommand trigger" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c incident -n "__fish_incident_using_subcommand trigger" -s V -l version -d 'Print version'
complete -c incident -n "__fish_incident_using_subcommand watch" -l url -d 'The server\'s WebSocket' -r
complete -c incident -n "__fish_incident_using_subcommand watch" -l cacert -d 'File with the certificates, in PEM, of the only authorities to believe of a wss:// server, or with the server\'s own [default: the variable `INCIDENT_CACERT`, else the system\'s authorities]' -r -F
complete -c incident -n "__fish_incident_using_subcommand watch" -l token-file -d 'File with the token to show to the server [default: the variable `INCIDENT_TOKEN`]' -r -F
complete -c incident -n "__fish_incident_using_subcommand watch" -l after -d 'Go on after this position; 0 replays everything that is kept' -r
complete -c incident -n "__fish_incident_using_subcommand watch" -l tail -d 'Of what is replayed, show only the last N events' -r
complete -c incident -n "__fish_incident_using_subcommand watch" -l incident -d 'Only this incident' -r
complete -c incident -n "__fish_incident_using_subcommand watch" -l phase -d 'Only this phase; may be given several times' -r
complete -c incident -n "__fish_incident_using_subcommand watch" -l type -d 'Only this message type; may be given several times' -r -f -a "incident_started\t''
agent_action\t''
system_metrics\t''
incident_resolved\t''"
complete -c incident -n "__fish_incident_using_subcommand watch" -l min-confidence -d 'Only actions with at least this confidence, 0 to 1' -r
complete -c incident -n "__fish_incident_using_subcommand watch" -l include -d 'Only events whose agent, action or summary matches' -r
complete -c incident -n "__fish_incident_using_subcommand watch" -l exclude -d 'No events whose agent, action or summary matches' -r
complete -c incident -n "__fish_incident_using_subcommand watch" -l record -d 'Write every event that arrives, whatever is shown, to this file as NDJSON: `incident serve --replay` plays it, `incident validate` checks it' -r -F
complete -c incident -n "__fish_incident_using_subcommand watch" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c incident -n "__fish_incident_using_subcommand watch" -l no-follow -d 'Show what there is and leave'
complete -c incident -n "__fish_incident_using_subcommand watch" -l until-resolved -d 'Leave when the incident is resolved; without --incident the first one that ends'
complete -c incident -n "__fish_incident_using_subcommand watch" -l json -d 'Print the events as NDJSON, verbatim'
complete -c incident -n "__fish_incident_using_subcommand watch" -l utc -d 'Show times of day in UTC instead of seconds into the incident'
complete -c incident -n "__fish_incident_using_subcommand watch" -l no-reconnect -d 'Leave when the connection ends'
complete -c incident -n "__fish_incident_using_subcommand watch" -s v -l verbose -d 'Say more about what happens (twice: everything)'
complete -c incident -n "__fish_incident_using_subcommand watch" -s q -l quiet -d 'Say only what goes wrong'
complete -c incident -n "__fish_incident_using_subcommand watch" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c incident -n "__fish_incident_using_subcommand watch" -s V -l version -d 'Print version'
complete -c incident -n "__fish_incident_using_subcommand validate" -l url -d 'Judge this running server instead' -r
complete -c incident -n "__fish_incident_using_subcommand validate" -l cacert -d 'File with the certificates, in PEM, of the only authorities to believe of a wss:// server, or with the server\'s own [default: the variable `INCIDENT_CACERT`, else the system\'s authorities]' -r -F
complete -c incident -n "__fish_incident_using_subcommand validate" -l token-file -d 'File with the token to show to the server [default: the variable `INCIDENT_TOKEN`]' -r -F
complete -c incident -n "__fish_incident_using_subcommand validate" -l trigger -d 'With --url: start this scenario and judge its incident' -r -f -a "api-overload\t''
database-outage\t''
ddos-attack\t''
memory-leak\t''
storage-failure\t''"
complete -c incident -n "__fish_incident_using_subcommand validate" -l for -d 'With --url: listen for this long instead of until an incident is resolved' -r
complete -c incident -n "__fish_incident_using_subcommand validate" -l timeout -d 'Give up after this long' -r
complete -c incident -n "__fish_incident_using_subcommand validate" -l speed -d 'How fast to play otherwise' -r
complete -c incident -n "__fish_incident_using_subcommand validate" -l tolerance -d 'How far an arrival may be off its due time' -r
complete -c incident -n "__fish_incident_using_subcommand validate" -l expect -d 'Judge by the [expect] of this scenario file' -r -F
complete -c incident -n "__fish_incident_using_subcommand validate" -l rule -d 'Only this rule; may be given several times' -r -f -a "envelope\t''
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
complete -c incident -n "__fish_incident_using_subcommand validate" -l skip -d 'Not this rule; may be given several times' -r -f -a "envelope\t''
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
complete -c incident -n "__fish_incident_using_subcommand validate" -l format -d 'How to print the result' -r -f -a "pretty\t'For people'
json\t'One JSON object'"
complete -c incident -n "__fish_incident_using_subcommand validate" -l transcripts -d 'Keep the transcripts here [default: a new folder among the temporary files]' -r -F
complete -c incident -n "__fish_incident_using_subcommand validate" -l timeline -d 'Print what a scenario file compiles to' -r -F
complete -c incident -n "__fish_incident_using_subcommand validate" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c incident -n "__fish_incident_using_subcommand validate" -l real-time -d 'Play at speed 1 and judge arrival times too'
complete -c incident -n "__fish_incident_using_subcommand validate" -l list -d 'List the rules and what they mean'
complete -c incident -n "__fish_incident_using_subcommand validate" -s v -l verbose -d 'Say more about what happens (twice: everything)'
complete -c incident -n "__fish_incident_using_subcommand validate" -s q -l quiet -d 'Say only what goes wrong'
complete -c incident -n "__fish_incident_using_subcommand validate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c incident -n "__fish_incident_using_subcommand validate" -s V -l version -d 'Print version'
complete -c incident -n "__fish_incident_using_subcommand check-journal" -l salvage -d 'Copy the events before the first damage into this new file, as a new stream' -r -F
complete -c incident -n "__fish_incident_using_subcommand check-journal" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c incident -n "__fish_incident_using_subcommand check-journal" -l json -d 'Print one JSON object'
complete -c incident -n "__fish_incident_using_subcommand check-journal" -s v -l verbose -d 'Say more about what happens (twice: everything)'
complete -c incident -n "__fish_incident_using_subcommand check-journal" -s q -l quiet -d 'Say only what goes wrong'
complete -c incident -n "__fish_incident_using_subcommand check-journal" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c incident -n "__fish_incident_using_subcommand check-journal" -s V -l version -d 'Print version'
complete -c incident -n "__fish_incident_using_subcommand report" -l url -d 'The server\'s WebSocket' -r
complete -c incident -n "__fish_incident_using_subcommand report" -l cacert -d 'File with the certificates, in PEM, of the only authorities to believe of a wss:// server, or with the server\'s own [default: the variable `INCIDENT_CACERT`, else the system\'s authorities]' -r -F
complete -c incident -n "__fish_incident_using_subcommand report" -l token-file -d 'File with the token to show to the server [default: the variable `INCIDENT_TOKEN`]' -r -F
complete -c incident -n "__fish_incident_using_subcommand report" -l incident -d 'Of a recording with several incidents, report only this one' -r
complete -c incident -n "__fish_incident_using_subcommand report" -s o -l output -d 'Write to a file instead of stdout' -r -F
complete -c incident -n "__fish_incident_using_subcommand report" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c incident -n "__fish_incident_using_subcommand report" -s v -l verbose -d 'Say more about what happens (twice: everything)'
complete -c incident -n "__fish_incident_using_subcommand report" -s q -l quiet -d 'Say only what goes wrong'
complete -c incident -n "__fish_incident_using_subcommand report" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c incident -n "__fish_incident_using_subcommand report" -s V -l version -d 'Print version'
complete -c incident -n "__fish_incident_using_subcommand schema" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c incident -n "__fish_incident_using_subcommand schema" -s v -l verbose -d 'Say more about what happens (twice: everything)'
complete -c incident -n "__fish_incident_using_subcommand schema" -s q -l quiet -d 'Say only what goes wrong'
complete -c incident -n "__fish_incident_using_subcommand schema" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c incident -n "__fish_incident_using_subcommand schema" -s V -l version -d 'Print version'
complete -c incident -n "__fish_incident_using_subcommand completions" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c incident -n "__fish_incident_using_subcommand completions" -s v -l verbose -d 'Say more about what happens (twice: everything)'
complete -c incident -n "__fish_incident_using_subcommand completions" -s q -l quiet -d 'Say only what goes wrong'
complete -c incident -n "__fish_incident_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c incident -n "__fish_incident_using_subcommand completions" -s V -l version -d 'Print version'
complete -c incident -n "__fish_incident_using_subcommand help; and not __fish_seen_subcommand_from serve trigger watch validate check-journal report schema completions help" -f -a "serve" -d 'Play incidents and stream them to dashboards, terminals and programs'
complete -c incident -n "__fish_incident_using_subcommand help; and not __fish_seen_subcommand_from serve trigger watch validate check-journal report schema completions help" -f -a "trigger" -d 'Start an incident on a running server and follow it to its end'
complete -c incident -n "__fish_incident_using_subcommand help; and not __fish_seen_subcommand_from serve trigger watch validate check-journal report schema completions help" -f -a "watch" -d 'Follow a stream in the terminal'
complete -c incident -n "__fish_incident_using_subcommand help; and not __fish_seen_subcommand_from serve trigger watch validate check-journal report schema completions help" -f -a "validate" -d 'Check that scenarios, recordings or a running server keep the contract'
complete -c incident -n "__fish_incident_using_subcommand help; and not __fish_seen_subcommand_from serve trigger watch validate check-journal report schema completions help" -f -a "check-journal" -d 'Check every event of a journal file, and save what is sound of a damaged one'
complete -c incident -n "__fish_incident_using_subcommand help; and not __fish_seen_subcommand_from serve trigger watch validate check-journal report schema completions help" -f -a "report" -d 'Write the post-incident report of an incident'
complete -c incident -n "__fish_incident_using_subcommand help; and not __fish_seen_subcommand_from serve trigger watch validate check-journal report schema completions help" -f -a "schema" -d 'Print the JSON Schema of the messages'
complete -c incident -n "__fish_incident_using_subcommand help; and not __fish_seen_subcommand_from serve trigger watch validate check-journal report schema completions help" -f -a "completions" -d 'Print a completion script for a shell'
complete -c incident -n "__fish_incident_using_subcommand help; and not __fish_seen_subcommand_from serve trigger watch validate check-journal report schema completions help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
