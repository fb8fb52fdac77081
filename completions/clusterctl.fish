# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_clusterctl_global_optspecs
    string join \n f/file= o/output= q/quiet v/verbose log= color= timeout= parallel= h/help V/version
end

function __fish_clusterctl_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_clusterctl_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_clusterctl_using_subcommand
    set -l cmd (__fish_clusterctl_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c clusterctl -n "__fish_clusterctl_needs_command" -s f -l file -d 'The description of the cluster' -r -F
complete -c clusterctl -n "__fish_clusterctl_needs_command" -s o -l output -d 'The form of the result' -r -f -a "table\t'For people'
json\t'One JSON document'
prometheus\t'Prometheus\' text format, only for `status`'"
complete -c clusterctl -n "__fish_clusterctl_needs_command" -l log -d 'Append all messages, and what runs on each host, to a file (mode 0600)' -r -F
complete -c clusterctl -n "__fish_clusterctl_needs_command" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c clusterctl -n "__fish_clusterctl_needs_command" -l timeout -d 'How long a host may take to answer a short question, connecting included' -r
complete -c clusterctl -n "__fish_clusterctl_needs_command" -l parallel -d 'How many hosts to work on at the same time' -r
complete -c clusterctl -n "__fish_clusterctl_needs_command" -s q -l quiet -d 'Print only the result and errors, no progress messages'
complete -c clusterctl -n "__fish_clusterctl_needs_command" -s v -l verbose -d 'Show on stderr what runs on each host, and how long it takes'
complete -c clusterctl -n "__fish_clusterctl_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c clusterctl -n "__fish_clusterctl_needs_command" -s V -l version -d 'Print version'
complete -c clusterctl -n "__fish_clusterctl_needs_command" -f -a "status" -d 'Show what hosts and nodes are doing'
complete -c clusterctl -n "__fish_clusterctl_needs_command" -f -a "deploy" -d 'Check, plan, stage, activate, and confirm that all nodes came up'
complete -c clusterctl -n "__fish_clusterctl_needs_command" -f -a "diff" -d 'Show what a deploy would change'
complete -c clusterctl -n "__fish_clusterctl_needs_command" -f -a "releases" -d 'List the releases on each host: when, by whom, with which Zeek, and which runs'
complete -c clusterctl -n "__fish_clusterctl_needs_command" -f -a "rollback" -d 'Return to an earlier release and its topology; only nodes that differ restart'
complete -c clusterctl -n "__fish_clusterctl_needs_command" -f -a "resume" -d 'Bring hosts that were away to the release that the others run, and start their nodes'
complete -c clusterctl -n "__fish_clusterctl_needs_command" -f -a "unlock" -d 'Free the lock of an operation that hangs; an operation that ends frees its own lock'
complete -c clusterctl -n "__fish_clusterctl_needs_command" -f -a "start" -d 'Start nodes from the release on their hosts'
complete -c clusterctl -n "__fish_clusterctl_needs_command" -f -a "stop" -d 'Stop nodes'
complete -c clusterctl -n "__fish_clusterctl_needs_command" -f -a "restart" -d 'Stop nodes and start them again'
complete -c clusterctl -n "__fish_clusterctl_needs_command" -f -a "maintain" -d 'Archive leftover logs, delete expired logs, start nodes that are down, check free disk space'
complete -c clusterctl -n "__fish_clusterctl_needs_command" -f -a "check" -d 'Check the description, then let the real Zeek parse the scripts on the hosts; changes nothing that runs'
complete -c clusterctl -n "__fish_clusterctl_needs_command" -f -a "print" -d 'Ask nodes for the value of a global identifier, such as `Cluster::nodes`'
complete -c clusterctl -n "__fish_clusterctl_needs_command" -f -a "netstats" -d 'Show packets received, dropped and on the link, of nodes, interfaces and all'
complete -c clusterctl -n "__fish_clusterctl_needs_command" -f -a "peerstatus" -d 'Show which nodes see which others, and who does not see whom'
complete -c clusterctl -n "__fish_clusterctl_needs_command" -f -a "events" -d 'Show what happens on the nodes, until Ctrl-C: nodes that come and go, warnings and errors'
complete -c clusterctl -n "__fish_clusterctl_needs_command" -f -a "logs" -d 'Show what nodes log and print, merged in time order'
complete -c clusterctl -n "__fish_clusterctl_needs_command" -f -a "history" -d 'Show who did what when on the hosts, the last operations at the end'
complete -c clusterctl -n "__fish_clusterctl_needs_command" -f -a "diag" -d 'Show what is wrong with nodes: how they ended, what they printed, how they were started'
complete -c clusterctl -n "__fish_clusterctl_needs_command" -f -a "exec" -d 'Run a command on hosts, without a shell: its words arrive as they are'
complete -c clusterctl -n "__fish_clusterctl_needs_command" -f -a "top" -d 'Show what nodes and hosts do, live: CPU, memory, threads, packets, drops'
complete -c clusterctl -n "__fish_clusterctl_needs_command" -f -a "df" -d 'Show the file systems that the cluster uses on each host, and how full they are'
complete -c clusterctl -n "__fish_clusterctl_needs_command" -f -a "capstats" -d 'Show what arrives at the interfaces that nodes capture from: packets and bits per second, drops'
complete -c clusterctl -n "__fish_clusterctl_needs_command" -f -a "traffic" -d 'Check the traffic that nodes capture: drops, gaps, missing directions, duplicates'
complete -c clusterctl -n "__fish_clusterctl_needs_command" -f -a "doctor" -d 'Check that each host has what it needs, and print what root must run once; changes nothing'
complete -c clusterctl -n "__fish_clusterctl_needs_command" -f -a "config" -d 'Show every setting with its value and where it came from; connects to no host'
complete -c clusterctl -n "__fish_clusterctl_needs_command" -f -a "layout" -d 'Print Zeek\'s layout; connects to no host'
complete -c clusterctl -n "__fish_clusterctl_needs_command" -f -a "secrets" -d 'Manage the keys that encrypt the traffic between nodes'
complete -c clusterctl -n "__fish_clusterctl_needs_command" -f -a "nodes" -d 'List nodes with their hosts, addresses, ports and CPUs'
complete -c clusterctl -n "__fish_clusterctl_needs_command" -f -a "targets" -d 'Print the metrics ports of nodes for Prometheus (`file_sd`)'
complete -c clusterctl -n "__fish_clusterctl_needs_command" -f -a "init" -d 'Write a commented first description, if there is none'
complete -c clusterctl -n "__fish_clusterctl_needs_command" -f -a "schema" -d 'Print the JSON Schema of the description, for editors'
complete -c clusterctl -n "__fish_clusterctl_needs_command" -f -a "completions" -d 'Print the completion script of a shell'
complete -c clusterctl -n "__fish_clusterctl_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand status" -l wait -d 'Wait until all is well, at most for this time' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand status" -s f -l file -d 'The description of the cluster' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand status" -s o -l output -d 'The form of the result' -r -f -a "table\t'For people'
json\t'One JSON document'
prometheus\t'Prometheus\' text format, only for `status`'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand status" -l log -d 'Append all messages, and what runs on each host, to a file (mode 0600)' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand status" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand status" -l timeout -d 'How long a host may take to answer a short question, connecting included' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand status" -l parallel -d 'How many hosts to work on at the same time' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand status" -l problems -d 'Only what is wrong, worst first, each with the command to run'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand status" -s q -l quiet -d 'Print only the result and errors, no progress messages'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand status" -s v -l verbose -d 'Show on stderr what runs on each host, and how long it takes'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand deploy" -l skip -d 'Skip hosts that run only workers, such as @sensor3; `resume` brings them up to date later' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand deploy" -l allow-failed -d 'How many workers may fail or be unreachable without a rollback: a number, or a share such as 10%' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand deploy" -l max-unavailable -d 'How many workers restart at a time, in whole capture groups: a number, or a share such as 10%' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand deploy" -l plan -d 'Apply the plan that `diff --save` wrote, without asking; refuse if anything differs by now, and say what' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand deploy" -s f -l file -d 'The description of the cluster' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand deploy" -s o -l output -d 'The form of the result' -r -f -a "table\t'For people'
json\t'One JSON document'
prometheus\t'Prometheus\' text format, only for `status`'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand deploy" -l log -d 'Append all messages, and what runs on each host, to a file (mode 0600)' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand deploy" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand deploy" -l timeout -d 'How long a host may take to answer a short question, connecting included' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand deploy" -l parallel -d 'How many hosts to work on at the same time' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand deploy" -s y -l yes -d 'Do not ask before acting'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand deploy" -l dry-run -d 'Stop after the plan'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand deploy" -l no-restart -d 'Put the release on the hosts, but restart no node that runs: `restart` moves them on'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand deploy" -l accept-backend-change -d 'Let the backend of the cluster change (Broker, ZeroMQ): all nodes stop and start'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand deploy" -s q -l quiet -d 'Print only the result and errors, no progress messages'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand deploy" -s v -l verbose -d 'Show on stderr what runs on each host, and how long it takes'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand deploy" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand diff" -l save -d 'Write the plan to a file, for `deploy --plan`' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand diff" -s f -l file -d 'The description of the cluster' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand diff" -s o -l output -d 'The form of the result' -r -f -a "table\t'For people'
json\t'One JSON document'
prometheus\t'Prometheus\' text format, only for `status`'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand diff" -l log -d 'Append all messages, and what runs on each host, to a file (mode 0600)' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand diff" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand diff" -l timeout -d 'How long a host may take to answer a short question, connecting included' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand diff" -l parallel -d 'How many hosts to work on at the same time' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand diff" -l exit-code -d 'End with 5 if there is something to do'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand diff" -s q -l quiet -d 'Print only the result and errors, no progress messages'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand diff" -s v -l verbose -d 'Show on stderr what runs on each host, and how long it takes'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand diff" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand releases" -s f -l file -d 'The description of the cluster' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand releases" -s o -l output -d 'The form of the result' -r -f -a "table\t'For people'
json\t'One JSON document'
prometheus\t'Prometheus\' text format, only for `status`'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand releases" -l log -d 'Append all messages, and what runs on each host, to a file (mode 0600)' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand releases" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand releases" -l timeout -d 'How long a host may take to answer a short question, connecting included' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand releases" -l parallel -d 'How many hosts to work on at the same time' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand releases" -s q -l quiet -d 'Print only the result and errors, no progress messages'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand releases" -s v -l verbose -d 'Show on stderr what runs on each host, and how long it takes'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand releases" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand rollback" -l skip -d 'Skip hosts that run only workers, such as @sensor3; `resume` brings them up to date later' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand rollback" -l allow-failed -d 'How many workers may fail or be unreachable without a rollback: a number, or a share such as 10%' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand rollback" -l max-unavailable -d 'How many workers restart at a time, in whole capture groups: a number, or a share such as 10%' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand rollback" -s f -l file -d 'The description of the cluster' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand rollback" -s o -l output -d 'The form of the result' -r -f -a "table\t'For people'
json\t'One JSON document'
prometheus\t'Prometheus\' text format, only for `status`'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand rollback" -l log -d 'Append all messages, and what runs on each host, to a file (mode 0600)' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand rollback" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand rollback" -l timeout -d 'How long a host may take to answer a short question, connecting included' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand rollback" -l parallel -d 'How many hosts to work on at the same time' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand rollback" -s y -l yes -d 'Do not ask before acting'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand rollback" -l dry-run -d 'Stop after the plan'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand rollback" -l accept-backend-change -d 'Let the backend of the cluster change (Broker, ZeroMQ): all nodes stop and start'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand rollback" -s q -l quiet -d 'Print only the result and errors, no progress messages'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand rollback" -s v -l verbose -d 'Show on stderr what runs on each host, and how long it takes'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand rollback" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand resume" -s f -l file -d 'The description of the cluster' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand resume" -s o -l output -d 'The form of the result' -r -f -a "table\t'For people'
json\t'One JSON document'
prometheus\t'Prometheus\' text format, only for `status`'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand resume" -l log -d 'Append all messages, and what runs on each host, to a file (mode 0600)' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand resume" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand resume" -l timeout -d 'How long a host may take to answer a short question, connecting included' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand resume" -l parallel -d 'How many hosts to work on at the same time' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand resume" -s y -l yes -d 'Do not ask before acting'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand resume" -l dry-run -d 'Stop after the plan'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand resume" -s q -l quiet -d 'Print only the result and errors, no progress messages'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand resume" -s v -l verbose -d 'Show on stderr what runs on each host, and how long it takes'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand resume" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand unlock" -s f -l file -d 'The description of the cluster' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand unlock" -s o -l output -d 'The form of the result' -r -f -a "table\t'For people'
json\t'One JSON document'
prometheus\t'Prometheus\' text format, only for `status`'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand unlock" -l log -d 'Append all messages, and what runs on each host, to a file (mode 0600)' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand unlock" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand unlock" -l timeout -d 'How long a host may take to answer a short question, connecting included' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand unlock" -l parallel -d 'How many hosts to work on at the same time' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand unlock" -s y -l yes -d 'Do not ask before acting'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand unlock" -s q -l quiet -d 'Print only the result and errors, no progress messages'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand unlock" -s v -l verbose -d 'Show on stderr what runs on each host, and how long it takes'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand unlock" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand start" -s f -l file -d 'The description of the cluster' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand start" -s o -l output -d 'The form of the result' -r -f -a "table\t'For people'
json\t'One JSON document'
prometheus\t'Prometheus\' text format, only for `status`'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand start" -l log -d 'Append all messages, and what runs on each host, to a file (mode 0600)' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand start" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand start" -l timeout -d 'How long a host may take to answer a short question, connecting included' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand start" -l parallel -d 'How many hosts to work on at the same time' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand start" -s q -l quiet -d 'Print only the result and errors, no progress messages'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand start" -s v -l verbose -d 'Show on stderr what runs on each host, and how long it takes'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand start" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand stop" -s f -l file -d 'The description of the cluster' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand stop" -s o -l output -d 'The form of the result' -r -f -a "table\t'For people'
json\t'One JSON document'
prometheus\t'Prometheus\' text format, only for `status`'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand stop" -l log -d 'Append all messages, and what runs on each host, to a file (mode 0600)' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand stop" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand stop" -l timeout -d 'How long a host may take to answer a short question, connecting included' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand stop" -l parallel -d 'How many hosts to work on at the same time' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand stop" -s q -l quiet -d 'Print only the result and errors, no progress messages'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand stop" -s v -l verbose -d 'Show on stderr what runs on each host, and how long it takes'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand stop" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand restart" -s f -l file -d 'The description of the cluster' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand restart" -s o -l output -d 'The form of the result' -r -f -a "table\t'For people'
json\t'One JSON document'
prometheus\t'Prometheus\' text format, only for `status`'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand restart" -l log -d 'Append all messages, and what runs on each host, to a file (mode 0600)' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand restart" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand restart" -l timeout -d 'How long a host may take to answer a short question, connecting included' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand restart" -l parallel -d 'How many hosts to work on at the same time' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand restart" -s q -l quiet -d 'Print only the result and errors, no progress messages'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand restart" -s v -l verbose -d 'Show on stderr what runs on each host, and how long it takes'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand restart" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand maintain" -s f -l file -d 'The description of the cluster' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand maintain" -s o -l output -d 'The form of the result' -r -f -a "table\t'For people'
json\t'One JSON document'
prometheus\t'Prometheus\' text format, only for `status`'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand maintain" -l log -d 'Append all messages, and what runs on each host, to a file (mode 0600)' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand maintain" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand maintain" -l timeout -d 'How long a host may take to answer a short question, connecting included' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand maintain" -l parallel -d 'How many hosts to work on at the same time' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand maintain" -l install -d 'Let the hosts do it by themselves: by a systemd timer, or else cron'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand maintain" -l remove -d 'Undo --install'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand maintain" -s q -l quiet -d 'Print only the result and errors, no progress messages'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand maintain" -s v -l verbose -d 'Show on stderr what runs on each host, and how long it takes'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand maintain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand check" -s f -l file -d 'The description of the cluster' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand check" -s o -l output -d 'The form of the result' -r -f -a "table\t'For people'
json\t'One JSON document'
prometheus\t'Prometheus\' text format, only for `status`'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand check" -l log -d 'Append all messages, and what runs on each host, to a file (mode 0600)' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand check" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand check" -l timeout -d 'How long a host may take to answer a short question, connecting included' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand check" -l parallel -d 'How many hosts to work on at the same time' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand check" -l offline -d 'Only the description: connect to no host'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand check" -s q -l quiet -d 'Print only the result and errors, no progress messages'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand check" -s v -l verbose -d 'Show on stderr what runs on each host, and how long it takes'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand print" -s f -l file -d 'The description of the cluster' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand print" -s o -l output -d 'The form of the result' -r -f -a "table\t'For people'
json\t'One JSON document'
prometheus\t'Prometheus\' text format, only for `status`'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand print" -l log -d 'Append all messages, and what runs on each host, to a file (mode 0600)' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand print" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand print" -l timeout -d 'How long a host may take to answer a short question, connecting included' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand print" -l parallel -d 'How many hosts to work on at the same time' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand print" -s q -l quiet -d 'Print only the result and errors, no progress messages'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand print" -s v -l verbose -d 'Show on stderr what runs on each host, and how long it takes'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand print" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand netstats" -l interval -d 'Measure rates over this time (1s to 1h) instead of the last minute' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand netstats" -s f -l file -d 'The description of the cluster' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand netstats" -s o -l output -d 'The form of the result' -r -f -a "table\t'For people'
json\t'One JSON document'
prometheus\t'Prometheus\' text format, only for `status`'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand netstats" -l log -d 'Append all messages, and what runs on each host, to a file (mode 0600)' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand netstats" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand netstats" -l timeout -d 'How long a host may take to answer a short question, connecting included' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand netstats" -l parallel -d 'How many hosts to work on at the same time' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand netstats" -s q -l quiet -d 'Print only the result and errors, no progress messages'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand netstats" -s v -l verbose -d 'Show on stderr what runs on each host, and how long it takes'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand netstats" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand peerstatus" -s f -l file -d 'The description of the cluster' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand peerstatus" -s o -l output -d 'The form of the result' -r -f -a "table\t'For people'
json\t'One JSON document'
prometheus\t'Prometheus\' text format, only for `status`'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand peerstatus" -l log -d 'Append all messages, and what runs on each host, to a file (mode 0600)' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand peerstatus" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand peerstatus" -l timeout -d 'How long a host may take to answer a short question, connecting included' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand peerstatus" -l parallel -d 'How many hosts to work on at the same time' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand peerstatus" -l matrix -d 'Show who sees whom as a matrix, with one row and one column for nodes that are alike'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand peerstatus" -s q -l quiet -d 'Print only the result and errors, no progress messages'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand peerstatus" -s v -l verbose -d 'Show on stderr what runs on each host, and how long it takes'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand peerstatus" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand events" -l since -d 'Show first what happened in this time, as far as the nodes remember it' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand events" -s f -l file -d 'The description of the cluster' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand events" -s o -l output -d 'The form of the result' -r -f -a "table\t'For people'
json\t'One JSON document'
prometheus\t'Prometheus\' text format, only for `status`'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand events" -l log -d 'Append all messages, and what runs on each host, to a file (mode 0600)' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand events" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand events" -l timeout -d 'How long a host may take to answer a short question, connecting included' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand events" -l parallel -d 'How many hosts to work on at the same time' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand events" -s q -l quiet -d 'Print only the result and errors, no progress messages'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand events" -s v -l verbose -d 'Show on stderr what runs on each host, and how long it takes'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand events" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand logs" -l node -d 'Only these nodes: a name, a glob, a role or @host; may be repeated' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand logs" -l since -d 'Only lines of this last time, by the clock of the node\'s host; looks at the last 16 MiB of each log' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand logs" -s n -l lines -d 'How many lines of each log [default: 10; with --since 100000 of a host]' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand logs" -l grep -d 'Only lines with this text, which is no pattern; the hosts look for it in the last GiB of each log' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand logs" -s f -l file -d 'The description of the cluster' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand logs" -s o -l output -d 'The form of the result' -r -f -a "table\t'For people'
json\t'One JSON document'
prometheus\t'Prometheus\' text format, only for `status`'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand logs" -l log -d 'Append all messages, and what runs on each host, to a file (mode 0600)' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand logs" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand logs" -l timeout -d 'How long a host may take to answer a short question, connecting included' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand logs" -l parallel -d 'How many hosts to work on at the same time' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand logs" -s F -l follow -d 'Show new lines as they come, also after a rotation, until Ctrl-C'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand logs" -s q -l quiet -d 'Print only the result and errors, no progress messages'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand logs" -s v -l verbose -d 'Show on stderr what runs on each host, and how long it takes'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand logs" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand history" -s n -l lines -d 'How many operations' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand history" -s f -l file -d 'The description of the cluster' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand history" -s o -l output -d 'The form of the result' -r -f -a "table\t'For people'
json\t'One JSON document'
prometheus\t'Prometheus\' text format, only for `status`'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand history" -l log -d 'Append all messages, and what runs on each host, to a file (mode 0600)' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand history" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand history" -l timeout -d 'How long a host may take to answer a short question, connecting included' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand history" -l parallel -d 'How many hosts to work on at the same time' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand history" -s q -l quiet -d 'Print only the result and errors, no progress messages'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand history" -s v -l verbose -d 'Show on stderr what runs on each host, and how long it takes'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand history" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand diag" -l bundle -d 'Write all of it, of these nodes and their hosts, with the description and the layout, into a new file (0600); secrets are left out' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand diag" -s f -l file -d 'The description of the cluster' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand diag" -s o -l output -d 'The form of the result' -r -f -a "table\t'For people'
json\t'One JSON document'
prometheus\t'Prometheus\' text format, only for `status`'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand diag" -l log -d 'Append all messages, and what runs on each host, to a file (mode 0600)' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand diag" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand diag" -l timeout -d 'How long a host may take to answer a short question, connecting included' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand diag" -l parallel -d 'How many hosts to work on at the same time' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand diag" -s q -l quiet -d 'Print only the result and errors, no progress messages'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand diag" -s v -l verbose -d 'Show on stderr what runs on each host, and how long it takes'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand diag" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand exec" -l as-node -d 'On this node\'s host, in its folder and environment, without its secrets' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand exec" -s f -l file -d 'The description of the cluster' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand exec" -s o -l output -d 'The form of the result' -r -f -a "table\t'For people'
json\t'One JSON document'
prometheus\t'Prometheus\' text format, only for `status`'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand exec" -l log -d 'Append all messages, and what runs on each host, to a file (mode 0600)' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand exec" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand exec" -l timeout -d 'How long a host may take to answer a short question, connecting included' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand exec" -l parallel -d 'How many hosts to work on at the same time' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand exec" -s q -l quiet -d 'Print only the result and errors, no progress messages'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand exec" -s v -l verbose -d 'Show on stderr what runs on each host, and how long it takes'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand exec" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand top" -l interval -d 'How long to measure, and how often to show anew: 1s to 10s' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand top" -s f -l file -d 'The description of the cluster' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand top" -s o -l output -d 'The form of the result' -r -f -a "table\t'For people'
json\t'One JSON document'
prometheus\t'Prometheus\' text format, only for `status`'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand top" -l log -d 'Append all messages, and what runs on each host, to a file (mode 0600)' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand top" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand top" -l timeout -d 'How long a host may take to answer a short question, connecting included' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand top" -l parallel -d 'How many hosts to work on at the same time' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand top" -l once -d 'Show one table, and end'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand top" -s q -l quiet -d 'Print only the result and errors, no progress messages'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand top" -s v -l verbose -d 'Show on stderr what runs on each host, and how long it takes'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand top" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand df" -s f -l file -d 'The description of the cluster' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand df" -s o -l output -d 'The form of the result' -r -f -a "table\t'For people'
json\t'One JSON document'
prometheus\t'Prometheus\' text format, only for `status`'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand df" -l log -d 'Append all messages, and what runs on each host, to a file (mode 0600)' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand df" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand df" -l timeout -d 'How long a host may take to answer a short question, connecting included' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand df" -l parallel -d 'How many hosts to work on at the same time' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand df" -s q -l quiet -d 'Print only the result and errors, no progress messages'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand df" -s v -l verbose -d 'Show on stderr what runs on each host, and how long it takes'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand df" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand capstats" -l interval -d 'How long to count: 1s to 60s' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand capstats" -s f -l file -d 'The description of the cluster' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand capstats" -s o -l output -d 'The form of the result' -r -f -a "table\t'For people'
json\t'One JSON document'
prometheus\t'Prometheus\' text format, only for `status`'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand capstats" -l log -d 'Append all messages, and what runs on each host, to a file (mode 0600)' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand capstats" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand capstats" -l timeout -d 'How long a host may take to answer a short question, connecting included' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand capstats" -l parallel -d 'How many hosts to work on at the same time' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand capstats" -s q -l quiet -d 'Print only the result and errors, no progress messages'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand capstats" -s v -l verbose -d 'Show on stderr what runs on each host, and how long it takes'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand capstats" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand traffic" -l for -d 'How long to measure: 1s to 15min' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand traffic" -s f -l file -d 'The description of the cluster' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand traffic" -s o -l output -d 'The form of the result' -r -f -a "table\t'For people'
json\t'One JSON document'
prometheus\t'Prometheus\' text format, only for `status`'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand traffic" -l log -d 'Append all messages, and what runs on each host, to a file (mode 0600)' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand traffic" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand traffic" -l timeout -d 'How long a host may take to answer a short question, connecting included' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand traffic" -l parallel -d 'How many hosts to work on at the same time' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand traffic" -s q -l quiet -d 'Print only the result and errors, no progress messages'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand traffic" -s v -l verbose -d 'Show on stderr what runs on each host, and how long it takes'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand traffic" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand doctor" -s f -l file -d 'The description of the cluster' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand doctor" -s o -l output -d 'The form of the result' -r -f -a "table\t'For people'
json\t'One JSON document'
prometheus\t'Prometheus\' text format, only for `status`'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand doctor" -l log -d 'Append all messages, and what runs on each host, to a file (mode 0600)' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand doctor" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand doctor" -l timeout -d 'How long a host may take to answer a short question, connecting included' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand doctor" -l parallel -d 'How many hosts to work on at the same time' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand doctor" -s q -l quiet -d 'Print only the result and errors, no progress messages'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand doctor" -s v -l verbose -d 'Show on stderr what runs on each host, and how long it takes'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand config" -s f -l file -d 'The description of the cluster' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand config" -s o -l output -d 'The form of the result' -r -f -a "table\t'For people'
json\t'One JSON document'
prometheus\t'Prometheus\' text format, only for `status`'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand config" -l log -d 'Append all messages, and what runs on each host, to a file (mode 0600)' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand config" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand config" -l timeout -d 'How long a host may take to answer a short question, connecting included' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand config" -l parallel -d 'How many hosts to work on at the same time' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand config" -s q -l quiet -d 'Print only the result and errors, no progress messages'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand config" -s v -l verbose -d 'Show on stderr what runs on each host, and how long it takes'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand config" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand layout" -l format -d 'The form [default: zeek; json with `-o json`]' -r -f -a "zeek\t'cluster-layout.zeek'
json\t'A JSON document'
table\t'A table'
mermaid\t'A Mermaid diagram'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand layout" -l zeek-version -d 'The version of Zeek to write for, instead of the description\'s' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand layout" -s f -l file -d 'The description of the cluster' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand layout" -s o -l output -d 'The form of the result' -r -f -a "table\t'For people'
json\t'One JSON document'
prometheus\t'Prometheus\' text format, only for `status`'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand layout" -l log -d 'Append all messages, and what runs on each host, to a file (mode 0600)' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand layout" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand layout" -l timeout -d 'How long a host may take to answer a short question, connecting included' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand layout" -l parallel -d 'How many hosts to work on at the same time' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand layout" -l options -d 'Print the generated options script instead of the layout'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand layout" -s q -l quiet -d 'Print only the result and errors, no progress messages'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand layout" -s v -l verbose -d 'Show on stderr what runs on each host, and how long it takes'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand layout" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand secrets; and not __fish_seen_subcommand_from rotate help" -s f -l file -d 'The description of the cluster' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand secrets; and not __fish_seen_subcommand_from rotate help" -s o -l output -d 'The form of the result' -r -f -a "table\t'For people'
json\t'One JSON document'
prometheus\t'Prometheus\' text format, only for `status`'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand secrets; and not __fish_seen_subcommand_from rotate help" -l log -d 'Append all messages, and what runs on each host, to a file (mode 0600)' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand secrets; and not __fish_seen_subcommand_from rotate help" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand secrets; and not __fish_seen_subcommand_from rotate help" -l timeout -d 'How long a host may take to answer a short question, connecting included' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand secrets; and not __fish_seen_subcommand_from rotate help" -l parallel -d 'How many hosts to work on at the same time' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand secrets; and not __fish_seen_subcommand_from rotate help" -s q -l quiet -d 'Print only the result and errors, no progress messages'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand secrets; and not __fish_seen_subcommand_from rotate help" -s v -l verbose -d 'Show on stderr what runs on each host, and how long it takes'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand secrets; and not __fish_seen_subcommand_from rotate help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand secrets; and not __fish_seen_subcommand_from rotate help" -f -a "rotate" -d 'Make new keys for ZeroMQ and deploy them: all nodes stop, then start, since old and new keys can\'t talk'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand secrets; and not __fish_seen_subcommand_from rotate help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand secrets; and __fish_seen_subcommand_from rotate" -s f -l file -d 'The description of the cluster' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand secrets; and __fish_seen_subcommand_from rotate" -s o -l output -d 'The form of the result' -r -f -a "table\t'For people'
json\t'One JSON document'
prometheus\t'Prometheus\' text format, only for `status`'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand secrets; and __fish_seen_subcommand_from rotate" -l log -d 'Append all messages, and what runs on each host, to a file (mode 0600)' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand secrets; and __fish_seen_subcommand_from rotate" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand secrets; and __fish_seen_subcommand_from rotate" -l timeout -d 'How long a host may take to answer a short question, connecting included' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand secrets; and __fish_seen_subcommand_from rotate" -l parallel -d 'How many hosts to work on at the same time' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand secrets; and __fish_seen_subcommand_from rotate" -s y -l yes -d 'Do not ask before acting'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand secrets; and __fish_seen_subcommand_from rotate" -l dry-run -d 'Stop after the plan'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand secrets; and __fish_seen_subcommand_from rotate" -s q -l quiet -d 'Print only the result and errors, no progress messages'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand secrets; and __fish_seen_subcommand_from rotate" -s v -l verbose -d 'Show on stderr what runs on each host, and how long it takes'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand secrets; and __fish_seen_subcommand_from rotate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand secrets; and __fish_seen_subcommand_from help" -f -a "rotate" -d 'Make new keys for ZeroMQ and deploy them: all nodes stop, then start, since old and new keys can\'t talk'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand secrets; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand nodes" -s f -l file -d 'The description of the cluster' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand nodes" -s o -l output -d 'The form of the result' -r -f -a "table\t'For people'
json\t'One JSON document'
prometheus\t'Prometheus\' text format, only for `status`'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand nodes" -l log -d 'Append all messages, and what runs on each host, to a file (mode 0600)' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand nodes" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand nodes" -l timeout -d 'How long a host may take to answer a short question, connecting included' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand nodes" -l parallel -d 'How many hosts to work on at the same time' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand nodes" -s q -l quiet -d 'Print only the result and errors, no progress messages'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand nodes" -s v -l verbose -d 'Show on stderr what runs on each host, and how long it takes'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand nodes" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand targets" -s f -l file -d 'The description of the cluster' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand targets" -s o -l output -d 'The form of the result' -r -f -a "table\t'For people'
json\t'One JSON document'
prometheus\t'Prometheus\' text format, only for `status`'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand targets" -l log -d 'Append all messages, and what runs on each host, to a file (mode 0600)' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand targets" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand targets" -l timeout -d 'How long a host may take to answer a short question, connecting included' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand targets" -l parallel -d 'How many hosts to work on at the same time' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand targets" -s q -l quiet -d 'Print only the result and errors, no progress messages'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand targets" -s v -l verbose -d 'Show on stderr what runs on each host, and how long it takes'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand targets" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand init" -s f -l file -d 'The description of the cluster' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand init" -s o -l output -d 'The form of the result' -r -f -a "table\t'For people'
json\t'One JSON document'
prometheus\t'Prometheus\' text format, only for `status`'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand init" -l log -d 'Append all messages, and what runs on each host, to a file (mode 0600)' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand init" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand init" -l timeout -d 'How long a host may take to answer a short question, connecting included' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand init" -l parallel -d 'How many hosts to work on at the same time' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand init" -s q -l quiet -d 'Print only the result and errors, no progress messages'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand init" -s v -l verbose -d 'Show on stderr what runs on each host, and how long it takes'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand init" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand schema" -s f -l file -d 'The description of the cluster' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand schema" -s o -l output -d 'The form of the result' -r -f -a "table\t'For people'
json\t'One JSON document'
prometheus\t'Prometheus\' text format, only for `status`'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand schema" -l log -d 'Append all messages, and what runs on each host, to a file (mode 0600)' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand schema" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand schema" -l timeout -d 'How long a host may take to answer a short question, connecting included' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand schema" -l parallel -d 'How many hosts to work on at the same time' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand schema" -s q -l quiet -d 'Print only the result and errors, no progress messages'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand schema" -s v -l verbose -d 'Show on stderr what runs on each host, and how long it takes'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand schema" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand completions" -s f -l file -d 'The description of the cluster' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand completions" -s o -l output -d 'The form of the result' -r -f -a "table\t'For people'
json\t'One JSON document'
prometheus\t'Prometheus\' text format, only for `status`'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand completions" -l log -d 'Append all messages, and what runs on each host, to a file (mode 0600)' -r -F
complete -c clusterctl -n "__fish_clusterctl_using_subcommand completions" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c clusterctl -n "__fish_clusterctl_using_subcommand completions" -l timeout -d 'How long a host may take to answer a short question, connecting included' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand completions" -l parallel -d 'How many hosts to work on at the same time' -r
complete -c clusterctl -n "__fish_clusterctl_using_subcommand completions" -s q -l quiet -d 'Print only the result and errors, no progress messages'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand completions" -s v -l verbose -d 'Show on stderr what runs on each host, and how long it takes'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand help; and not __fish_seen_subcommand_from status deploy diff releases rollback resume unlock start stop restart maintain check print netstats peerstatus events logs history diag exec top df capstats traffic doctor config layout secrets nodes targets init schema completions help" -f -a "status" -d 'Show what hosts and nodes are doing'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand help; and not __fish_seen_subcommand_from status deploy diff releases rollback resume unlock start stop restart maintain check print netstats peerstatus events logs history diag exec top df capstats traffic doctor config layout secrets nodes targets init schema completions help" -f -a "deploy" -d 'Check, plan, stage, activate, and confirm that all nodes came up'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand help; and not __fish_seen_subcommand_from status deploy diff releases rollback resume unlock start stop restart maintain check print netstats peerstatus events logs history diag exec top df capstats traffic doctor config layout secrets nodes targets init schema completions help" -f -a "diff" -d 'Show what a deploy would change'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand help; and not __fish_seen_subcommand_from status deploy diff releases rollback resume unlock start stop restart maintain check print netstats peerstatus events logs history diag exec top df capstats traffic doctor config layout secrets nodes targets init schema completions help" -f -a "releases" -d 'List the releases on each host: when, by whom, with which Zeek, and which runs'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand help; and not __fish_seen_subcommand_from status deploy diff releases rollback resume unlock start stop restart maintain check print netstats peerstatus events logs history diag exec top df capstats traffic doctor config layout secrets nodes targets init schema completions help" -f -a "rollback" -d 'Return to an earlier release and its topology; only nodes that differ restart'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand help; and not __fish_seen_subcommand_from status deploy diff releases rollback resume unlock start stop restart maintain check print netstats peerstatus events logs history diag exec top df capstats traffic doctor config layout secrets nodes targets init schema completions help" -f -a "resume" -d 'Bring hosts that were away to the release that the others run, and start their nodes'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand help; and not __fish_seen_subcommand_from status deploy diff releases rollback resume unlock start stop restart maintain check print netstats peerstatus events logs history diag exec top df capstats traffic doctor config layout secrets nodes targets init schema completions help" -f -a "unlock" -d 'Free the lock of an operation that hangs; an operation that ends frees its own lock'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand help; and not __fish_seen_subcommand_from status deploy diff releases rollback resume unlock start stop restart maintain check print netstats peerstatus events logs history diag exec top df capstats traffic doctor config layout secrets nodes targets init schema completions help" -f -a "start" -d 'Start nodes from the release on their hosts'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand help; and not __fish_seen_subcommand_from status deploy diff releases rollback resume unlock start stop restart maintain check print netstats peerstatus events logs history diag exec top df capstats traffic doctor config layout secrets nodes targets init schema completions help" -f -a "stop" -d 'Stop nodes'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand help; and not __fish_seen_subcommand_from status deploy diff releases rollback resume unlock start stop restart maintain check print netstats peerstatus events logs history diag exec top df capstats traffic doctor config layout secrets nodes targets init schema completions help" -f -a "restart" -d 'Stop nodes and start them again'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand help; and not __fish_seen_subcommand_from status deploy diff releases rollback resume unlock start stop restart maintain check print netstats peerstatus events logs history diag exec top df capstats traffic doctor config layout secrets nodes targets init schema completions help" -f -a "maintain" -d 'Archive leftover logs, delete expired logs, start nodes that are down, check free disk space'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand help; and not __fish_seen_subcommand_from status deploy diff releases rollback resume unlock start stop restart maintain check print netstats peerstatus events logs history diag exec top df capstats traffic doctor config layout secrets nodes targets init schema completions help" -f -a "check" -d 'Check the description, then let the real Zeek parse the scripts on the hosts; changes nothing that runs'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand help; and not __fish_seen_subcommand_from status deploy diff releases rollback resume unlock start stop restart maintain check print netstats peerstatus events logs history diag exec top df capstats traffic doctor config layout secrets nodes targets init schema completions help" -f -a "print" -d 'Ask nodes for the value of a global identifier, such as `Cluster::nodes`'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand help; and not __fish_seen_subcommand_from status deploy diff releases rollback resume unlock start stop restart maintain check print netstats peerstatus events logs history diag exec top df capstats traffic doctor config layout secrets nodes targets init schema completions help" -f -a "netstats" -d 'Show packets received, dropped and on the link, of nodes, interfaces and all'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand help; and not __fish_seen_subcommand_from status deploy diff releases rollback resume unlock start stop restart maintain check print netstats peerstatus events logs history diag exec top df capstats traffic doctor config layout secrets nodes targets init schema completions help" -f -a "peerstatus" -d 'Show which nodes see which others, and who does not see whom'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand help; and not __fish_seen_subcommand_from status deploy diff releases rollback resume unlock start stop restart maintain check print netstats peerstatus events logs history diag exec top df capstats traffic doctor config layout secrets nodes targets init schema completions help" -f -a "events" -d 'Show what happens on the nodes, until Ctrl-C: nodes that come and go, warnings and errors'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand help; and not __fish_seen_subcommand_from status deploy diff releases rollback resume unlock start stop restart maintain check print netstats peerstatus events logs history diag exec top df capstats traffic doctor config layout secrets nodes targets init schema completions help" -f -a "logs" -d 'Show what nodes log and print, merged in time order'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand help; and not __fish_seen_subcommand_from status deploy diff releases rollback resume unlock start stop restart maintain check print netstats peerstatus events logs history diag exec top df capstats traffic doctor config layout secrets nodes targets init schema completions help" -f -a "history" -d 'Show who did what when on the hosts, the last operations at the end'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand help; and not __fish_seen_subcommand_from status deploy diff releases rollback resume unlock start stop restart maintain check print netstats peerstatus events logs history diag exec top df capstats traffic doctor config layout secrets nodes targets init schema completions help" -f -a "diag" -d 'Show what is wrong with nodes: how they ended, what they printed, how they were started'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand help; and not __fish_seen_subcommand_from status deploy diff releases rollback resume unlock start stop restart maintain check print netstats peerstatus events logs history diag exec top df capstats traffic doctor config layout secrets nodes targets init schema completions help" -f -a "exec" -d 'Run a command on hosts, without a shell: its words arrive as they are'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand help; and not __fish_seen_subcommand_from status deploy diff releases rollback resume unlock start stop restart maintain check print netstats peerstatus events logs history diag exec top df capstats traffic doctor config layout secrets nodes targets init schema completions help" -f -a "top" -d 'Show what nodes and hosts do, live: CPU, memory, threads, packets, drops'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand help; and not __fish_seen_subcommand_from status deploy diff releases rollback resume unlock start stop restart maintain check print netstats peerstatus events logs history diag exec top df capstats traffic doctor config layout secrets nodes targets init schema completions help" -f -a "df" -d 'Show the file systems that the cluster uses on each host, and how full they are'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand help; and not __fish_seen_subcommand_from status deploy diff releases rollback resume unlock start stop restart maintain check print netstats peerstatus events logs history diag exec top df capstats traffic doctor config layout secrets nodes targets init schema completions help" -f -a "capstats" -d 'Show what arrives at the interfaces that nodes capture from: packets and bits per second, drops'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand help; and not __fish_seen_subcommand_from status deploy diff releases rollback resume unlock start stop restart maintain check print netstats peerstatus events logs history diag exec top df capstats traffic doctor config layout secrets nodes targets init schema completions help" -f -a "traffic" -d 'Check the traffic that nodes capture: drops, gaps, missing directions, duplicates'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand help; and not __fish_seen_subcommand_from status deploy diff releases rollback resume unlock start stop restart maintain check print netstats peerstatus events logs history diag exec top df capstats traffic doctor config layout secrets nodes targets init schema completions help" -f -a "doctor" -d 'Check that each host has what it needs, and print what root must run once; changes nothing'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand help; and not __fish_seen_subcommand_from status deploy diff releases rollback resume unlock start stop restart maintain check print netstats peerstatus events logs history diag exec top df capstats traffic doctor config layout secrets nodes targets init schema completions help" -f -a "config" -d 'Show every setting with its value and where it came from; connects to no host'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand help; and not __fish_seen_subcommand_from status deploy diff releases rollback resume unlock start stop restart maintain check print netstats peerstatus events logs history diag exec top df capstats traffic doctor config layout secrets nodes targets init schema completions help" -f -a "layout" -d 'Print Zeek\'s layout; connects to no host'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand help; and not __fish_seen_subcommand_from status deploy diff releases rollback resume unlock start stop restart maintain check print netstats peerstatus events logs history diag exec top df capstats traffic doctor config layout secrets nodes targets init schema completions help" -f -a "secrets" -d 'Manage the keys that encrypt the traffic between nodes'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand help; and not __fish_seen_subcommand_from status deploy diff releases rollback resume unlock start stop restart maintain check print netstats peerstatus events logs history diag exec top df capstats traffic doctor config layout secrets nodes targets init schema completions help" -f -a "nodes" -d 'List nodes with their hosts, addresses, ports and CPUs'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand help; and not __fish_seen_subcommand_from status deploy diff releases rollback resume unlock start stop restart maintain check print netstats peerstatus events logs history diag exec top df capstats traffic doctor config layout secrets nodes targets init schema completions help" -f -a "targets" -d 'Print the metrics ports of nodes for Prometheus (`file_sd`)'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand help; and not __fish_seen_subcommand_from status deploy diff releases rollback resume unlock start stop restart maintain check print netstats peerstatus events logs history diag exec top df capstats traffic doctor config layout secrets nodes targets init schema completions help" -f -a "init" -d 'Write a commented first description, if there is none'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand help; and not __fish_seen_subcommand_from status deploy diff releases rollback resume unlock start stop restart maintain check print netstats peerstatus events logs history diag exec top df capstats traffic doctor config layout secrets nodes targets init schema completions help" -f -a "schema" -d 'Print the JSON Schema of the description, for editors'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand help; and not __fish_seen_subcommand_from status deploy diff releases rollback resume unlock start stop restart maintain check print netstats peerstatus events logs history diag exec top df capstats traffic doctor config layout secrets nodes targets init schema completions help" -f -a "completions" -d 'Print the completion script of a shell'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand help; and not __fish_seen_subcommand_from status deploy diff releases rollback resume unlock start stop restart maintain check print netstats peerstatus events logs history diag exec top df capstats traffic doctor config layout secrets nodes targets init schema completions help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c clusterctl -n "__fish_clusterctl_using_subcommand help; and __fish_seen_subcommand_from secrets" -f -a "rotate" -d 'Make new keys for ZeroMQ and deploy them: all nodes stop, then start, since old and new keys can\'t talk'
