
use builtin;
use str;

set edit:completion:arg-completer[clusterctl] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'clusterctl'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'clusterctl'= {
            cand -f 'The description of the cluster'
            cand --file 'The description of the cluster'
            cand -o 'The form of the result'
            cand --output 'The form of the result'
            cand --log 'Append all messages, and what runs on each host, to a file (mode 0600)'
            cand --color 'When to use colours'
            cand --timeout 'How long a host may take to answer a short question, connecting included'
            cand --parallel 'How many hosts to work on at the same time'
            cand -q 'Print only the result and errors, no progress messages'
            cand --quiet 'Print only the result and errors, no progress messages'
            cand -v 'Show on stderr what runs on each host, and how long it takes'
            cand --verbose 'Show on stderr what runs on each host, and how long it takes'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand status 'Show what hosts and nodes are doing'
            cand deploy 'Check, plan, stage, activate, and confirm that all nodes came up'
            cand diff 'Show what a deploy would change'
            cand releases 'List the releases on each host: when, by whom, with which Zeek, and which runs'
            cand rollback 'Return to an earlier release and its topology; only nodes that differ restart'
            cand resume 'Bring hosts that were away to the release that the others run, and start their nodes'
            cand unlock 'Free the lock of an operation that hangs; an operation that ends frees its own lock'
            cand start 'Start nodes from the release on their hosts'
            cand stop 'Stop nodes'
            cand restart 'Stop nodes and start them again'
            cand maintain 'Archive leftover logs, delete expired logs, start nodes that are down, check free disk space'
            cand check 'Check the description, then let the real Zeek parse the scripts on the hosts; changes nothing that runs'
            cand print 'Ask nodes for the value of a global identifier, such as `Cluster::nodes`'
            cand netstats 'Show packets received, dropped and on the link, of nodes, interfaces and all'
            cand peerstatus 'Show which nodes see which others, and who does not see whom'
            cand events 'Show what happens on the nodes, until Ctrl-C: nodes that come and go, warnings and errors'
            cand logs 'Show what nodes log and print, merged in time order'
            cand history 'Show who did what when on the hosts, the last operations at the end'
            cand diag 'Show what is wrong with nodes: how they ended, what they printed, how they were started'
            cand exec 'Run a command on hosts, without a shell: its words arrive as they are'
            cand top 'Show what nodes and hosts do, live: CPU, memory, threads, packets, drops'
            cand df 'Show the file systems that the cluster uses on each host, and how full they are'
            cand capstats 'Show what arrives at the interfaces that nodes capture from: packets and bits per second, drops'
            cand traffic 'Check the traffic that nodes capture: drops, gaps, missing directions, duplicates'
            cand doctor 'Check that each host has what it needs, and print what root must run once; changes nothing'
            cand config 'Show every setting with its value and where it came from; connects to no host'
            cand layout 'Print Zeek''s layout; connects to no host'
            cand secrets 'Manage the keys that encrypt the traffic between nodes'
            cand nodes 'List nodes with their hosts, addresses, ports and CPUs'
            cand targets 'Print the metrics ports of nodes for Prometheus (`file_sd`)'
            cand init 'Write a commented first description, if there is none'
            cand schema 'Print the JSON Schema of the description, for editors'
            cand completions 'Print the completion script of a shell'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'clusterctl;status'= {
            cand --wait 'Wait until all is well, at most for this time'
            cand -f 'The description of the cluster'
            cand --file 'The description of the cluster'
            cand -o 'The form of the result'
            cand --output 'The form of the result'
            cand --log 'Append all messages, and what runs on each host, to a file (mode 0600)'
            cand --color 'When to use colours'
            cand --timeout 'How long a host may take to answer a short question, connecting included'
            cand --parallel 'How many hosts to work on at the same time'
            cand --problems 'Only what is wrong, worst first, each with the command to run'
            cand -q 'Print only the result and errors, no progress messages'
            cand --quiet 'Print only the result and errors, no progress messages'
            cand -v 'Show on stderr what runs on each host, and how long it takes'
            cand --verbose 'Show on stderr what runs on each host, and how long it takes'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'clusterctl;deploy'= {
            cand --skip 'Skip hosts that run only workers, such as @sensor3; `resume` brings them up to date later'
            cand --allow-failed 'How many workers may fail or be unreachable without a rollback: a number, or a share such as 10%'
            cand --max-unavailable 'How many workers restart at a time, in whole capture groups: a number, or a share such as 10%'
            cand --plan 'Apply the plan that `diff --save` wrote, without asking; refuse if anything differs by now, and say what'
            cand -f 'The description of the cluster'
            cand --file 'The description of the cluster'
            cand -o 'The form of the result'
            cand --output 'The form of the result'
            cand --log 'Append all messages, and what runs on each host, to a file (mode 0600)'
            cand --color 'When to use colours'
            cand --timeout 'How long a host may take to answer a short question, connecting included'
            cand --parallel 'How many hosts to work on at the same time'
            cand -y 'Do not ask before acting'
            cand --yes 'Do not ask before acting'
            cand --dry-run 'Stop after the plan'
            cand --no-restart 'Put the release on the hosts, but restart no node that runs: `restart` moves them on'
            cand --accept-backend-change 'Let the backend of the cluster change (Broker, ZeroMQ): all nodes stop and start'
            cand -q 'Print only the result and errors, no progress messages'
            cand --quiet 'Print only the result and errors, no progress messages'
            cand -v 'Show on stderr what runs on each host, and how long it takes'
            cand --verbose 'Show on stderr what runs on each host, and how long it takes'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'clusterctl;diff'= {
            cand --save 'Write the plan to a file, for `deploy --plan`'
            cand -f 'The description of the cluster'
            cand --file 'The description of the cluster'
            cand -o 'The form of the result'
            cand --output 'The form of the result'
            cand --log 'Append all messages, and what runs on each host, to a file (mode 0600)'
            cand --color 'When to use colours'
            cand --timeout 'How long a host may take to answer a short question, connecting included'
            cand --parallel 'How many hosts to work on at the same time'
            cand --exit-code 'End with 5 if there is something to do'
            cand -q 'Print only the result and errors, no progress messages'
            cand --quiet 'Print only the result and errors, no progress messages'
            cand -v 'Show on stderr what runs on each host, and how long it takes'
            cand --verbose 'Show on stderr what runs on each host, and how long it takes'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'clusterctl;releases'= {
            cand -f 'The description of the cluster'
            cand --file 'The description of the cluster'
            cand -o 'The form of the result'
            cand --output 'The form of the result'
            cand --log 'Append all messages, and what runs on each host, to a file (mode 0600)'
            cand --color 'When to use colours'
            cand --timeout 'How long a host may take to answer a short question, connecting included'
            cand --parallel 'How many hosts to work on at the same time'
            cand -q 'Print only the result and errors, no progress messages'
            cand --quiet 'Print only the result and errors, no progress messages'
            cand -v 'Show on stderr what runs on each host, and how long it takes'
            cand --verbose 'Show on stderr what runs on each host, and how long it takes'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'clusterctl;rollback'= {
            cand --skip 'Skip hosts that run only workers, such as @sensor3; `resume` brings them up to date later'
            cand --allow-failed 'How many workers may fail or be unreachable without a rollback: a number, or a share such as 10%'
            cand --max-unavailable 'How many workers restart at a time, in whole capture groups: a number, or a share such as 10%'
            cand -f 'The description of the cluster'
            cand --file 'The description of the cluster'
            cand -o 'The form of the result'
            cand --output 'The form of the result'
            cand --log 'Append all messages, and what runs on each host, to a file (mode 0600)'
            cand --color 'When to use colours'
            cand --timeout 'How long a host may take to answer a short question, connecting included'
            cand --parallel 'How many hosts to work on at the same time'
            cand -y 'Do not ask before acting'
            cand --yes 'Do not ask before acting'
            cand --dry-run 'Stop after the plan'
            cand --accept-backend-change 'Let the backend of the cluster change (Broker, ZeroMQ): all nodes stop and start'
            cand -q 'Print only the result and errors, no progress messages'
            cand --quiet 'Print only the result and errors, no progress messages'
            cand -v 'Show on stderr what runs on each host, and how long it takes'
            cand --verbose 'Show on stderr what runs on each host, and how long it takes'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'clusterctl;resume'= {
            cand -f 'The description of the cluster'
            cand --file 'The description of the cluster'
            cand -o 'The form of the result'
            cand --output 'The form of the result'
            cand --log 'Append all messages, and what runs on each host, to a file (mode 0600)'
            cand --color 'When to use colours'
            cand --timeout 'How long a host may take to answer a short question, connecting included'
            cand --parallel 'How many hosts to work on at the same time'
            cand -y 'Do not ask before acting'
            cand --yes 'Do not ask before acting'
            cand --dry-run 'Stop after the plan'
            cand -q 'Print only the result and errors, no progress messages'
            cand --quiet 'Print only the result and errors, no progress messages'
            cand -v 'Show on stderr what runs on each host, and how long it takes'
            cand --verbose 'Show on stderr what runs on each host, and how long it takes'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'clusterctl;unlock'= {
            cand -f 'The description of the cluster'
            cand --file 'The description of the cluster'
            cand -o 'The form of the result'
            cand --output 'The form of the result'
            cand --log 'Append all messages, and what runs on each host, to a file (mode 0600)'
            cand --color 'When to use colours'
            cand --timeout 'How long a host may take to answer a short question, connecting included'
            cand --parallel 'How many hosts to work on at the same time'
            cand -y 'Do not ask before acting'
            cand --yes 'Do not ask before acting'
            cand -q 'Print only the result and errors, no progress messages'
            cand --quiet 'Print only the result and errors, no progress messages'
            cand -v 'Show on stderr what runs on each host, and how long it takes'
            cand --verbose 'Show on stderr what runs on each host, and how long it takes'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'clusterctl;start'= {
            cand -f 'The description of the cluster'
            cand --file 'The description of the cluster'
            cand -o 'The form of the result'
            cand --output 'The form of the result'
            cand --log 'Append all messages, and what runs on each host, to a file (mode 0600)'
            cand --color 'When to use colours'
            cand --timeout 'How long a host may take to answer a short question, connecting included'
            cand --parallel 'How many hosts to work on at the same time'
            cand -q 'Print only the result and errors, no progress messages'
            cand --quiet 'Print only the result and errors, no progress messages'
            cand -v 'Show on stderr what runs on each host, and how long it takes'
            cand --verbose 'Show on stderr what runs on each host, and how long it takes'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'clusterctl;stop'= {
            cand -f 'The description of the cluster'
            cand --file 'The description of the cluster'
            cand -o 'The form of the result'
            cand --output 'The form of the result'
            cand --log 'Append all messages, and what runs on each host, to a file (mode 0600)'
            cand --color 'When to use colours'
            cand --timeout 'How long a host may take to answer a short question, connecting included'
            cand --parallel 'How many hosts to work on at the same time'
            cand -q 'Print only the result and errors, no progress messages'
            cand --quiet 'Print only the result and errors, no progress messages'
            cand -v 'Show on stderr what runs on each host, and how long it takes'
            cand --verbose 'Show on stderr what runs on each host, and how long it takes'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'clusterctl;restart'= {
            cand -f 'The description of the cluster'
            cand --file 'The description of the cluster'
            cand -o 'The form of the result'
            cand --output 'The form of the result'
            cand --log 'Append all messages, and what runs on each host, to a file (mode 0600)'
            cand --color 'When to use colours'
            cand --timeout 'How long a host may take to answer a short question, connecting included'
            cand --parallel 'How many hosts to work on at the same time'
            cand -q 'Print only the result and errors, no progress messages'
            cand --quiet 'Print only the result and errors, no progress messages'
            cand -v 'Show on stderr what runs on each host, and how long it takes'
            cand --verbose 'Show on stderr what runs on each host, and how long it takes'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'clusterctl;maintain'= {
            cand -f 'The description of the cluster'
            cand --file 'The description of the cluster'
            cand -o 'The form of the result'
            cand --output 'The form of the result'
            cand --log 'Append all messages, and what runs on each host, to a file (mode 0600)'
            cand --color 'When to use colours'
            cand --timeout 'How long a host may take to answer a short question, connecting included'
            cand --parallel 'How many hosts to work on at the same time'
            cand --install 'Let the hosts do it by themselves: by a systemd timer, or else cron'
            cand --remove 'Undo --install'
            cand -q 'Print only the result and errors, no progress messages'
            cand --quiet 'Print only the result and errors, no progress messages'
            cand -v 'Show on stderr what runs on each host, and how long it takes'
            cand --verbose 'Show on stderr what runs on each host, and how long it takes'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'clusterctl;check'= {
            cand -f 'The description of the cluster'
            cand --file 'The description of the cluster'
            cand -o 'The form of the result'
            cand --output 'The form of the result'
            cand --log 'Append all messages, and what runs on each host, to a file (mode 0600)'
            cand --color 'When to use colours'
            cand --timeout 'How long a host may take to answer a short question, connecting included'
            cand --parallel 'How many hosts to work on at the same time'
            cand --offline 'Only the description: connect to no host'
            cand -q 'Print only the result and errors, no progress messages'
            cand --quiet 'Print only the result and errors, no progress messages'
            cand -v 'Show on stderr what runs on each host, and how long it takes'
            cand --verbose 'Show on stderr what runs on each host, and how long it takes'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'clusterctl;print'= {
            cand -f 'The description of the cluster'
            cand --file 'The description of the cluster'
            cand -o 'The form of the result'
            cand --output 'The form of the result'
            cand --log 'Append all messages, and what runs on each host, to a file (mode 0600)'
            cand --color 'When to use colours'
            cand --timeout 'How long a host may take to answer a short question, connecting included'
            cand --parallel 'How many hosts to work on at the same time'
            cand -q 'Print only the result and errors, no progress messages'
            cand --quiet 'Print only the result and errors, no progress messages'
            cand -v 'Show on stderr what runs on each host, and how long it takes'
            cand --verbose 'Show on stderr what runs on each host, and how long it takes'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'clusterctl;netstats'= {
            cand --interval 'Measure rates over this time (1s to 1h) instead of the last minute'
            cand -f 'The description of the cluster'
            cand --file 'The description of the cluster'
            cand -o 'The form of the result'
            cand --output 'The form of the result'
            cand --log 'Append all messages, and what runs on each host, to a file (mode 0600)'
            cand --color 'When to use colours'
            cand --timeout 'How long a host may take to answer a short question, connecting included'
            cand --parallel 'How many hosts to work on at the same time'
            cand -q 'Print only the result and errors, no progress messages'
            cand --quiet 'Print only the result and errors, no progress messages'
            cand -v 'Show on stderr what runs on each host, and how long it takes'
            cand --verbose 'Show on stderr what runs on each host, and how long it takes'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'clusterctl;peerstatus'= {
            cand -f 'The description of the cluster'
            cand --file 'The description of the cluster'
            cand -o 'The form of the result'
            cand --output 'The form of the result'
            cand --log 'Append all messages, and what runs on each host, to a file (mode 0600)'
            cand --color 'When to use colours'
            cand --timeout 'How long a host may take to answer a short question, connecting included'
            cand --parallel 'How many hosts to work on at the same time'
            cand --matrix 'Show who sees whom as a matrix, with one row and one column for nodes that are alike'
            cand -q 'Print only the result and errors, no progress messages'
            cand --quiet 'Print only the result and errors, no progress messages'
            cand -v 'Show on stderr what runs on each host, and how long it takes'
            cand --verbose 'Show on stderr what runs on each host, and how long it takes'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'clusterctl;events'= {
            cand --since 'Show first what happened in this time, as far as the nodes remember it'
            cand -f 'The description of the cluster'
            cand --file 'The description of the cluster'
            cand -o 'The form of the result'
            cand --output 'The form of the result'
            cand --log 'Append all messages, and what runs on each host, to a file (mode 0600)'
            cand --color 'When to use colours'
            cand --timeout 'How long a host may take to answer a short question, connecting included'
            cand --parallel 'How many hosts to work on at the same time'
            cand -q 'Print only the result and errors, no progress messages'
            cand --quiet 'Print only the result and errors, no progress messages'
            cand -v 'Show on stderr what runs on each host, and how long it takes'
            cand --verbose 'Show on stderr what runs on each host, and how long it takes'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'clusterctl;logs'= {
            cand --node 'Only these nodes: a name, a glob, a role or @host; may be repeated'
            cand --since 'Only lines of this last time, by the clock of the node''s host; looks at the last 16 MiB of each log'
            cand -n 'How many lines of each log [default: 10; with --since 100000 of a host]'
            cand --lines 'How many lines of each log [default: 10; with --since 100000 of a host]'
            cand --grep 'Only lines with this text, which is no pattern; the hosts look for it in the last GiB of each log'
            cand -f 'The description of the cluster'
            cand --file 'The description of the cluster'
            cand -o 'The form of the result'
            cand --output 'The form of the result'
            cand --log 'Append all messages, and what runs on each host, to a file (mode 0600)'
            cand --color 'When to use colours'
            cand --timeout 'How long a host may take to answer a short question, connecting included'
            cand --parallel 'How many hosts to work on at the same time'
            cand -F 'Show new lines as they come, also after a rotation, until Ctrl-C'
            cand --follow 'Show new lines as they come, also after a rotation, until Ctrl-C'
            cand -q 'Print only the result and errors, no progress messages'
            cand --quiet 'Print only the result and errors, no progress messages'
            cand -v 'Show on stderr what runs on each host, and how long it takes'
            cand --verbose 'Show on stderr what runs on each host, and how long it takes'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'clusterctl;history'= {
            cand -n 'How many operations'
            cand --lines 'How many operations'
            cand -f 'The description of the cluster'
            cand --file 'The description of the cluster'
            cand -o 'The form of the result'
            cand --output 'The form of the result'
            cand --log 'Append all messages, and what runs on each host, to a file (mode 0600)'
            cand --color 'When to use colours'
            cand --timeout 'How long a host may take to answer a short question, connecting included'
            cand --parallel 'How many hosts to work on at the same time'
            cand -q 'Print only the result and errors, no progress messages'
            cand --quiet 'Print only the result and errors, no progress messages'
            cand -v 'Show on stderr what runs on each host, and how long it takes'
            cand --verbose 'Show on stderr what runs on each host, and how long it takes'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'clusterctl;diag'= {
            cand --bundle 'Write all of it, of these nodes and their hosts, with the description and the layout, into a new file (0600); secrets are left out'
            cand -f 'The description of the cluster'
            cand --file 'The description of the cluster'
            cand -o 'The form of the result'
            cand --output 'The form of the result'
            cand --log 'Append all messages, and what runs on each host, to a file (mode 0600)'
            cand --color 'When to use colours'
            cand --timeout 'How long a host may take to answer a short question, connecting included'
            cand --parallel 'How many hosts to work on at the same time'
            cand -q 'Print only the result and errors, no progress messages'
            cand --quiet 'Print only the result and errors, no progress messages'
            cand -v 'Show on stderr what runs on each host, and how long it takes'
            cand --verbose 'Show on stderr what runs on each host, and how long it takes'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'clusterctl;exec'= {
            cand --as-node 'On this node''s host, in its folder and environment, without its secrets'
            cand -f 'The description of the cluster'
            cand --file 'The description of the cluster'
            cand -o 'The form of the result'
            cand --output 'The form of the result'
            cand --log 'Append all messages, and what runs on each host, to a file (mode 0600)'
            cand --color 'When to use colours'
            cand --timeout 'How long a host may take to answer a short question, connecting included'
            cand --parallel 'How many hosts to work on at the same time'
            cand -q 'Print only the result and errors, no progress messages'
            cand --quiet 'Print only the result and errors, no progress messages'
            cand -v 'Show on stderr what runs on each host, and how long it takes'
            cand --verbose 'Show on stderr what runs on each host, and how long it takes'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'clusterctl;top'= {
            cand --interval 'How long to measure, and how often to show anew: 1s to 10s'
            cand -f 'The description of the cluster'
            cand --file 'The description of the cluster'
            cand -o 'The form of the result'
            cand --output 'The form of the result'
            cand --log 'Append all messages, and what runs on each host, to a file (mode 0600)'
            cand --color 'When to use colours'
            cand --timeout 'How long a host may take to answer a short question, connecting included'
            cand --parallel 'How many hosts to work on at the same time'
            cand --once 'Show one table, and end'
            cand -q 'Print only the result and errors, no progress messages'
            cand --quiet 'Print only the result and errors, no progress messages'
            cand -v 'Show on stderr what runs on each host, and how long it takes'
            cand --verbose 'Show on stderr what runs on each host, and how long it takes'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'clusterctl;df'= {
            cand -f 'The description of the cluster'
            cand --file 'The description of the cluster'
            cand -o 'The form of the result'
            cand --output 'The form of the result'
            cand --log 'Append all messages, and what runs on each host, to a file (mode 0600)'
            cand --color 'When to use colours'
            cand --timeout 'How long a host may take to answer a short question, connecting included'
            cand --parallel 'How many hosts to work on at the same time'
            cand -q 'Print only the result and errors, no progress messages'
            cand --quiet 'Print only the result and errors, no progress messages'
            cand -v 'Show on stderr what runs on each host, and how long it takes'
            cand --verbose 'Show on stderr what runs on each host, and how long it takes'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'clusterctl;capstats'= {
            cand --interval 'How long to count: 1s to 60s'
            cand -f 'The description of the cluster'
            cand --file 'The description of the cluster'
            cand -o 'The form of the result'
            cand --output 'The form of the result'
            cand --log 'Append all messages, and what runs on each host, to a file (mode 0600)'
            cand --color 'When to use colours'
            cand --timeout 'How long a host may take to answer a short question, connecting included'
            cand --parallel 'How many hosts to work on at the same time'
            cand -q 'Print only the result and errors, no progress messages'
            cand --quiet 'Print only the result and errors, no progress messages'
            cand -v 'Show on stderr what runs on each host, and how long it takes'
            cand --verbose 'Show on stderr what runs on each host, and how long it takes'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'clusterctl;traffic'= {
            cand --for 'How long to measure: 1s to 15min'
            cand -f 'The description of the cluster'
            cand --file 'The description of the cluster'
            cand -o 'The form of the result'
            cand --output 'The form of the result'
            cand --log 'Append all messages, and what runs on each host, to a file (mode 0600)'
            cand --color 'When to use colours'
            cand --timeout 'How long a host may take to answer a short question, connecting included'
            cand --parallel 'How many hosts to work on at the same time'
            cand -q 'Print only the result and errors, no progress messages'
            cand --quiet 'Print only the result and errors, no progress messages'
            cand -v 'Show on stderr what runs on each host, and how long it takes'
            cand --verbose 'Show on stderr what runs on each host, and how long it takes'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'clusterctl;doctor'= {
            cand -f 'The description of the cluster'
            cand --file 'The description of the cluster'
            cand -o 'The form of the result'
            cand --output 'The form of the result'
            cand --log 'Append all messages, and what runs on each host, to a file (mode 0600)'
            cand --color 'When to use colours'
            cand --timeout 'How long a host may take to answer a short question, connecting included'
            cand --parallel 'How many hosts to work on at the same time'
            cand -q 'Print only the result and errors, no progress messages'
            cand --quiet 'Print only the result and errors, no progress messages'
            cand -v 'Show on stderr what runs on each host, and how long it takes'
            cand --verbose 'Show on stderr what runs on each host, and how long it takes'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'clusterctl;config'= {
            cand -f 'The description of the cluster'
            cand --file 'The description of the cluster'
            cand -o 'The form of the result'
            cand --output 'The form of the result'
            cand --log 'Append all messages, and what runs on each host, to a file (mode 0600)'
            cand --color 'When to use colours'
            cand --timeout 'How long a host may take to answer a short question, connecting included'
            cand --parallel 'How many hosts to work on at the same time'
            cand -q 'Print only the result and errors, no progress messages'
            cand --quiet 'Print only the result and errors, no progress messages'
            cand -v 'Show on stderr what runs on each host, and how long it takes'
            cand --verbose 'Show on stderr what runs on each host, and how long it takes'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'clusterctl;layout'= {
            cand --format 'The form [default: zeek; json with `-o json`]'
            cand --zeek-version 'The version of Zeek to write for, instead of the description''s'
            cand -f 'The description of the cluster'
            cand --file 'The description of the cluster'
            cand -o 'The form of the result'
            cand --output 'The form of the result'
            cand --log 'Append all messages, and what runs on each host, to a file (mode 0600)'
            cand --color 'When to use colours'
            cand --timeout 'How long a host may take to answer a short question, connecting included'
            cand --parallel 'How many hosts to work on at the same time'
            cand --options 'Print the generated options script instead of the layout'
            cand -q 'Print only the result and errors, no progress messages'
            cand --quiet 'Print only the result and errors, no progress messages'
            cand -v 'Show on stderr what runs on each host, and how long it takes'
            cand --verbose 'Show on stderr what runs on each host, and how long it takes'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'clusterctl;secrets'= {
            cand -f 'The description of the cluster'
            cand --file 'The description of the cluster'
            cand -o 'The form of the result'
            cand --output 'The form of the result'
            cand --log 'Append all messages, and what runs on each host, to a file (mode 0600)'
            cand --color 'When to use colours'
            cand --timeout 'How long a host may take to answer a short question, connecting included'
            cand --parallel 'How many hosts to work on at the same time'
            cand -q 'Print only the result and errors, no progress messages'
            cand --quiet 'Print only the result and errors, no progress messages'
            cand -v 'Show on stderr what runs on each host, and how long it takes'
            cand --verbose 'Show on stderr what runs on each host, and how long it takes'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand rotate 'Make new keys for ZeroMQ and deploy them: all nodes stop, then start, since old and new keys can''t talk'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'clusterctl;secrets;rotate'= {
            cand -f 'The description of the cluster'
            cand --file 'The description of the cluster'
            cand -o 'The form of the result'
            cand --output 'The form of the result'
            cand --log 'Append all messages, and what runs on each host, to a file (mode 0600)'
            cand --color 'When to use colours'
            cand --timeout 'How long a host may take to answer a short question, connecting included'
            cand --parallel 'How many hosts to work on at the same time'
            cand -y 'Do not ask before acting'
            cand --yes 'Do not ask before acting'
            cand --dry-run 'Stop after the plan'
            cand -q 'Print only the result and errors, no progress messages'
            cand --quiet 'Print only the result and errors, no progress messages'
            cand -v 'Show on stderr what runs on each host, and how long it takes'
            cand --verbose 'Show on stderr what runs on each host, and how long it takes'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'clusterctl;secrets;help'= {
            cand rotate 'Make new keys for ZeroMQ and deploy them: all nodes stop, then start, since old and new keys can''t talk'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'clusterctl;secrets;help;rotate'= {
        }
        &'clusterctl;secrets;help;help'= {
        }
        &'clusterctl;nodes'= {
            cand -f 'The description of the cluster'
            cand --file 'The description of the cluster'
            cand -o 'The form of the result'
            cand --output 'The form of the result'
            cand --log 'Append all messages, and what runs on each host, to a file (mode 0600)'
            cand --color 'When to use colours'
            cand --timeout 'How long a host may take to answer a short question, connecting included'
            cand --parallel 'How many hosts to work on at the same time'
            cand -q 'Print only the result and errors, no progress messages'
            cand --quiet 'Print only the result and errors, no progress messages'
            cand -v 'Show on stderr what runs on each host, and how long it takes'
            cand --verbose 'Show on stderr what runs on each host, and how long it takes'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'clusterctl;targets'= {
            cand -f 'The description of the cluster'
            cand --file 'The description of the cluster'
            cand -o 'The form of the result'
            cand --output 'The form of the result'
            cand --log 'Append all messages, and what runs on each host, to a file (mode 0600)'
            cand --color 'When to use colours'
            cand --timeout 'How long a host may take to answer a short question, connecting included'
            cand --parallel 'How many hosts to work on at the same time'
            cand -q 'Print only the result and errors, no progress messages'
            cand --quiet 'Print only the result and errors, no progress messages'
            cand -v 'Show on stderr what runs on each host, and how long it takes'
            cand --verbose 'Show on stderr what runs on each host, and how long it takes'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'clusterctl;init'= {
            cand -f 'The description of the cluster'
            cand --file 'The description of the cluster'
            cand -o 'The form of the result'
            cand --output 'The form of the result'
            cand --log 'Append all messages, and what runs on each host, to a file (mode 0600)'
            cand --color 'When to use colours'
            cand --timeout 'How long a host may take to answer a short question, connecting included'
            cand --parallel 'How many hosts to work on at the same time'
            cand -q 'Print only the result and errors, no progress messages'
            cand --quiet 'Print only the result and errors, no progress messages'
            cand -v 'Show on stderr what runs on each host, and how long it takes'
            cand --verbose 'Show on stderr what runs on each host, and how long it takes'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'clusterctl;schema'= {
            cand -f 'The description of the cluster'
            cand --file 'The description of the cluster'
            cand -o 'The form of the result'
            cand --output 'The form of the result'
            cand --log 'Append all messages, and what runs on each host, to a file (mode 0600)'
            cand --color 'When to use colours'
            cand --timeout 'How long a host may take to answer a short question, connecting included'
            cand --parallel 'How many hosts to work on at the same time'
            cand -q 'Print only the result and errors, no progress messages'
            cand --quiet 'Print only the result and errors, no progress messages'
            cand -v 'Show on stderr what runs on each host, and how long it takes'
            cand --verbose 'Show on stderr what runs on each host, and how long it takes'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'clusterctl;completions'= {
            cand -f 'The description of the cluster'
            cand --file 'The description of the cluster'
            cand -o 'The form of the result'
            cand --output 'The form of the result'
            cand --log 'Append all messages, and what runs on each host, to a file (mode 0600)'
            cand --color 'When to use colours'
            cand --timeout 'How long a host may take to answer a short question, connecting included'
            cand --parallel 'How many hosts to work on at the same time'
            cand -q 'Print only the result and errors, no progress messages'
            cand --quiet 'Print only the result and errors, no progress messages'
            cand -v 'Show on stderr what runs on each host, and how long it takes'
            cand --verbose 'Show on stderr what runs on each host, and how long it takes'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'clusterctl;help'= {
            cand status 'Show what hosts and nodes are doing'
            cand deploy 'Check, plan, stage, activate, and confirm that all nodes came up'
            cand diff 'Show what a deploy would change'
            cand releases 'List the releases on each host: when, by whom, with which Zeek, and which runs'
            cand rollback 'Return to an earlier release and its topology; only nodes that differ restart'
            cand resume 'Bring hosts that were away to the release that the others run, and start their nodes'
            cand unlock 'Free the lock of an operation that hangs; an operation that ends frees its own lock'
            cand start 'Start nodes from the release on their hosts'
            cand stop 'Stop nodes'
            cand restart 'Stop nodes and start them again'
            cand maintain 'Archive leftover logs, delete expired logs, start nodes that are down, check free disk space'
            cand check 'Check the description, then let the real Zeek parse the scripts on the hosts; changes nothing that runs'
            cand print 'Ask nodes for the value of a global identifier, such as `Cluster::nodes`'
            cand netstats 'Show packets received, dropped and on the link, of nodes, interfaces and all'
            cand peerstatus 'Show which nodes see which others, and who does not see whom'
            cand events 'Show what happens on the nodes, until Ctrl-C: nodes that come and go, warnings and errors'
            cand logs 'Show what nodes log and print, merged in time order'
            cand history 'Show who did what when on the hosts, the last operations at the end'
            cand diag 'Show what is wrong with nodes: how they ended, what they printed, how they were started'
            cand exec 'Run a command on hosts, without a shell: its words arrive as they are'
            cand top 'Show what nodes and hosts do, live: CPU, memory, threads, packets, drops'
            cand df 'Show the file systems that the cluster uses on each host, and how full they are'
            cand capstats 'Show what arrives at the interfaces that nodes capture from: packets and bits per second, drops'
            cand traffic 'Check the traffic that nodes capture: drops, gaps, missing directions, duplicates'
            cand doctor 'Check that each host has what it needs, and print what root must run once; changes nothing'
            cand config 'Show every setting with its value and where it came from; connects to no host'
            cand layout 'Print Zeek''s layout; connects to no host'
            cand secrets 'Manage the keys that encrypt the traffic between nodes'
            cand nodes 'List nodes with their hosts, addresses, ports and CPUs'
            cand targets 'Print the metrics ports of nodes for Prometheus (`file_sd`)'
            cand init 'Write a commented first description, if there is none'
            cand schema 'Print the JSON Schema of the description, for editors'
            cand completions 'Print the completion script of a shell'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'clusterctl;help;status'= {
        }
        &'clusterctl;help;deploy'= {
        }
        &'clusterctl;help;diff'= {
        }
        &'clusterctl;help;releases'= {
        }
        &'clusterctl;help;rollback'= {
        }
        &'clusterctl;help;resume'= {
        }
        &'clusterctl;help;unlock'= {
        }
        &'clusterctl;help;start'= {
        }
        &'clusterctl;help;stop'= {
        }
        &'clusterctl;help;restart'= {
        }
        &'clusterctl;help;maintain'= {
        }
        &'clusterctl;help;check'= {
        }
        &'clusterctl;help;print'= {
        }
        &'clusterctl;help;netstats'= {
        }
        &'clusterctl;help;peerstatus'= {
        }
        &'clusterctl;help;events'= {
        }
        &'clusterctl;help;logs'= {
        }
        &'clusterctl;help;history'= {
        }
        &'clusterctl;help;diag'= {
        }
        &'clusterctl;help;exec'= {
        }
        &'clusterctl;help;top'= {
        }
        &'clusterctl;help;df'= {
        }
        &'clusterctl;help;capstats'= {
        }
        &'clusterctl;help;traffic'= {
        }
        &'clusterctl;help;doctor'= {
        }
        &'clusterctl;help;config'= {
        }
        &'clusterctl;help;layout'= {
        }
        &'clusterctl;help;secrets'= {
            cand rotate 'Make new keys for ZeroMQ and deploy them: all nodes stop, then start, since old and new keys can''t talk'
        }
        &'clusterctl;help;secrets;rotate'= {
        }
        &'clusterctl;help;nodes'= {
        }
        &'clusterctl;help;targets'= {
        }
        &'clusterctl;help;init'= {
        }
        &'clusterctl;help;schema'= {
        }
        &'clusterctl;help;completions'= {
        }
        &'clusterctl;help;help'= {
        }
    ]
    $completions[$command]
}
