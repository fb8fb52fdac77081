
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'clusterctl' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'clusterctl'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'clusterctl' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--log', '--log', [CompletionResultType]::ParameterName, 'Append all messages, and what runs on each host, to a file (mode 0600)')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long a host may take to answer a short question, connecting included')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'How many hosts to work on at the same time')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show what hosts and nodes are doing')
            [CompletionResult]::new('deploy', 'deploy', [CompletionResultType]::ParameterValue, 'Check, plan, stage, activate, and confirm that all nodes came up')
            [CompletionResult]::new('diff', 'diff', [CompletionResultType]::ParameterValue, 'Show what a deploy would change')
            [CompletionResult]::new('releases', 'releases', [CompletionResultType]::ParameterValue, 'List the releases on each host: when, by whom, with which Zeek, and which runs')
            [CompletionResult]::new('rollback', 'rollback', [CompletionResultType]::ParameterValue, 'Return to an earlier release and its topology; only nodes that differ restart')
            [CompletionResult]::new('resume', 'resume', [CompletionResultType]::ParameterValue, 'Bring hosts that were away to the release that the others run, and start their nodes')
            [CompletionResult]::new('unlock', 'unlock', [CompletionResultType]::ParameterValue, 'Free the lock of an operation that hangs; an operation that ends frees its own lock')
            [CompletionResult]::new('start', 'start', [CompletionResultType]::ParameterValue, 'Start nodes from the release on their hosts')
            [CompletionResult]::new('stop', 'stop', [CompletionResultType]::ParameterValue, 'Stop nodes')
            [CompletionResult]::new('restart', 'restart', [CompletionResultType]::ParameterValue, 'Stop nodes and start them again')
            [CompletionResult]::new('maintain', 'maintain', [CompletionResultType]::ParameterValue, 'Archive leftover logs, delete expired logs, start nodes that are down, check free disk space')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Check the description, then let the real Zeek parse the scripts on the hosts; changes nothing that runs')
            [CompletionResult]::new('print', 'print', [CompletionResultType]::ParameterValue, 'Ask nodes for the value of a global identifier, such as `Cluster::nodes`')
            [CompletionResult]::new('netstats', 'netstats', [CompletionResultType]::ParameterValue, 'Show packets received, dropped and on the link, of nodes, interfaces and all')
            [CompletionResult]::new('peerstatus', 'peerstatus', [CompletionResultType]::ParameterValue, 'Show which nodes see which others, and who does not see whom')
            [CompletionResult]::new('events', 'events', [CompletionResultType]::ParameterValue, 'Show what happens on the nodes, until Ctrl-C: nodes that come and go, warnings and errors')
            [CompletionResult]::new('logs', 'logs', [CompletionResultType]::ParameterValue, 'Show what nodes log and print, merged in time order')
            [CompletionResult]::new('history', 'history', [CompletionResultType]::ParameterValue, 'Show who did what when on the hosts, the last operations at the end')
            [CompletionResult]::new('diag', 'diag', [CompletionResultType]::ParameterValue, 'Show what is wrong with nodes: how they ended, what they printed, how they were started')
            [CompletionResult]::new('exec', 'exec', [CompletionResultType]::ParameterValue, 'Run a command on hosts, without a shell: its words arrive as they are')
            [CompletionResult]::new('top', 'top', [CompletionResultType]::ParameterValue, 'Show what nodes and hosts do, live: CPU, memory, threads, packets, drops')
            [CompletionResult]::new('df', 'df', [CompletionResultType]::ParameterValue, 'Show the file systems that the cluster uses on each host, and how full they are')
            [CompletionResult]::new('capstats', 'capstats', [CompletionResultType]::ParameterValue, 'Show what arrives at the interfaces that nodes capture from: packets and bits per second, drops')
            [CompletionResult]::new('traffic', 'traffic', [CompletionResultType]::ParameterValue, 'Check the traffic that nodes capture: drops, gaps, missing directions, duplicates')
            [CompletionResult]::new('doctor', 'doctor', [CompletionResultType]::ParameterValue, 'Check that each host has what it needs, and print what root must run once; changes nothing')
            [CompletionResult]::new('config', 'config', [CompletionResultType]::ParameterValue, 'Show every setting with its value and where it came from; connects to no host')
            [CompletionResult]::new('layout', 'layout', [CompletionResultType]::ParameterValue, 'Print Zeek''s layout; connects to no host')
            [CompletionResult]::new('secrets', 'secrets', [CompletionResultType]::ParameterValue, 'Manage the keys that encrypt the traffic between nodes')
            [CompletionResult]::new('nodes', 'nodes', [CompletionResultType]::ParameterValue, 'List nodes with their hosts, addresses, ports and CPUs')
            [CompletionResult]::new('targets', 'targets', [CompletionResultType]::ParameterValue, 'Print the metrics ports of nodes for Prometheus (`file_sd`)')
            [CompletionResult]::new('init', 'init', [CompletionResultType]::ParameterValue, 'Write a commented first description, if there is none')
            [CompletionResult]::new('schema', 'schema', [CompletionResultType]::ParameterValue, 'Print the JSON Schema of the description, for editors')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print the completion script of a shell')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'clusterctl;status' {
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Wait until all is well, at most for this time')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--log', '--log', [CompletionResultType]::ParameterName, 'Append all messages, and what runs on each host, to a file (mode 0600)')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long a host may take to answer a short question, connecting included')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'How many hosts to work on at the same time')
            [CompletionResult]::new('--problems', '--problems', [CompletionResultType]::ParameterName, 'Only what is wrong, worst first, each with the command to run')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'clusterctl;deploy' {
            [CompletionResult]::new('--skip', '--skip', [CompletionResultType]::ParameterName, 'Skip hosts that run only workers, such as @sensor3; `resume` brings them up to date later')
            [CompletionResult]::new('--allow-failed', '--allow-failed', [CompletionResultType]::ParameterName, 'How many workers may fail or be unreachable without a rollback: a number, or a share such as 10%')
            [CompletionResult]::new('--max-unavailable', '--max-unavailable', [CompletionResultType]::ParameterName, 'How many workers restart at a time, in whole capture groups: a number, or a share such as 10%')
            [CompletionResult]::new('--plan', '--plan', [CompletionResultType]::ParameterName, 'Apply the plan that `diff --save` wrote, without asking; refuse if anything differs by now, and say what')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--log', '--log', [CompletionResultType]::ParameterName, 'Append all messages, and what runs on each host, to a file (mode 0600)')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long a host may take to answer a short question, connecting included')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'How many hosts to work on at the same time')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask before acting')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask before acting')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Stop after the plan')
            [CompletionResult]::new('--no-restart', '--no-restart', [CompletionResultType]::ParameterName, 'Put the release on the hosts, but restart no node that runs: `restart` moves them on')
            [CompletionResult]::new('--accept-backend-change', '--accept-backend-change', [CompletionResultType]::ParameterName, 'Let the backend of the cluster change (Broker, ZeroMQ): all nodes stop and start')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'clusterctl;diff' {
            [CompletionResult]::new('--save', '--save', [CompletionResultType]::ParameterName, 'Write the plan to a file, for `deploy --plan`')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--log', '--log', [CompletionResultType]::ParameterName, 'Append all messages, and what runs on each host, to a file (mode 0600)')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long a host may take to answer a short question, connecting included')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'How many hosts to work on at the same time')
            [CompletionResult]::new('--exit-code', '--exit-code', [CompletionResultType]::ParameterName, 'End with 5 if there is something to do')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'clusterctl;releases' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--log', '--log', [CompletionResultType]::ParameterName, 'Append all messages, and what runs on each host, to a file (mode 0600)')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long a host may take to answer a short question, connecting included')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'How many hosts to work on at the same time')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'clusterctl;rollback' {
            [CompletionResult]::new('--skip', '--skip', [CompletionResultType]::ParameterName, 'Skip hosts that run only workers, such as @sensor3; `resume` brings them up to date later')
            [CompletionResult]::new('--allow-failed', '--allow-failed', [CompletionResultType]::ParameterName, 'How many workers may fail or be unreachable without a rollback: a number, or a share such as 10%')
            [CompletionResult]::new('--max-unavailable', '--max-unavailable', [CompletionResultType]::ParameterName, 'How many workers restart at a time, in whole capture groups: a number, or a share such as 10%')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--log', '--log', [CompletionResultType]::ParameterName, 'Append all messages, and what runs on each host, to a file (mode 0600)')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long a host may take to answer a short question, connecting included')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'How many hosts to work on at the same time')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask before acting')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask before acting')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Stop after the plan')
            [CompletionResult]::new('--accept-backend-change', '--accept-backend-change', [CompletionResultType]::ParameterName, 'Let the backend of the cluster change (Broker, ZeroMQ): all nodes stop and start')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'clusterctl;resume' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--log', '--log', [CompletionResultType]::ParameterName, 'Append all messages, and what runs on each host, to a file (mode 0600)')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long a host may take to answer a short question, connecting included')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'How many hosts to work on at the same time')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask before acting')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask before acting')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Stop after the plan')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'clusterctl;unlock' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--log', '--log', [CompletionResultType]::ParameterName, 'Append all messages, and what runs on each host, to a file (mode 0600)')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long a host may take to answer a short question, connecting included')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'How many hosts to work on at the same time')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask before acting')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask before acting')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'clusterctl;start' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--log', '--log', [CompletionResultType]::ParameterName, 'Append all messages, and what runs on each host, to a file (mode 0600)')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long a host may take to answer a short question, connecting included')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'How many hosts to work on at the same time')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'clusterctl;stop' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--log', '--log', [CompletionResultType]::ParameterName, 'Append all messages, and what runs on each host, to a file (mode 0600)')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long a host may take to answer a short question, connecting included')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'How many hosts to work on at the same time')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'clusterctl;restart' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--log', '--log', [CompletionResultType]::ParameterName, 'Append all messages, and what runs on each host, to a file (mode 0600)')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long a host may take to answer a short question, connecting included')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'How many hosts to work on at the same time')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'clusterctl;maintain' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--log', '--log', [CompletionResultType]::ParameterName, 'Append all messages, and what runs on each host, to a file (mode 0600)')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long a host may take to answer a short question, connecting included')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'How many hosts to work on at the same time')
            [CompletionResult]::new('--install', '--install', [CompletionResultType]::ParameterName, 'Let the hosts do it by themselves: by a systemd timer, or else cron')
            [CompletionResult]::new('--remove', '--remove', [CompletionResultType]::ParameterName, 'Undo --install')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'clusterctl;check' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--log', '--log', [CompletionResultType]::ParameterName, 'Append all messages, and what runs on each host, to a file (mode 0600)')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long a host may take to answer a short question, connecting included')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'How many hosts to work on at the same time')
            [CompletionResult]::new('--offline', '--offline', [CompletionResultType]::ParameterName, 'Only the description: connect to no host')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'clusterctl;print' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--log', '--log', [CompletionResultType]::ParameterName, 'Append all messages, and what runs on each host, to a file (mode 0600)')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long a host may take to answer a short question, connecting included')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'How many hosts to work on at the same time')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'clusterctl;netstats' {
            [CompletionResult]::new('--interval', '--interval', [CompletionResultType]::ParameterName, 'Measure rates over this time (1s to 1h) instead of the last minute')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--log', '--log', [CompletionResultType]::ParameterName, 'Append all messages, and what runs on each host, to a file (mode 0600)')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long a host may take to answer a short question, connecting included')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'How many hosts to work on at the same time')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'clusterctl;peerstatus' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--log', '--log', [CompletionResultType]::ParameterName, 'Append all messages, and what runs on each host, to a file (mode 0600)')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long a host may take to answer a short question, connecting included')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'How many hosts to work on at the same time')
            [CompletionResult]::new('--matrix', '--matrix', [CompletionResultType]::ParameterName, 'Show who sees whom as a matrix, with one row and one column for nodes that are alike')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'clusterctl;events' {
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Show first what happened in this time, as far as the nodes remember it')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--log', '--log', [CompletionResultType]::ParameterName, 'Append all messages, and what runs on each host, to a file (mode 0600)')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long a host may take to answer a short question, connecting included')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'How many hosts to work on at the same time')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'clusterctl;logs' {
            [CompletionResult]::new('--node', '--node', [CompletionResultType]::ParameterName, 'Only these nodes: a name, a glob, a role or @host; may be repeated')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Only lines of this last time, by the clock of the node''s host; looks at the last 16 MiB of each log')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'How many lines of each log [default: 10; with --since 100000 of a host]')
            [CompletionResult]::new('--lines', '--lines', [CompletionResultType]::ParameterName, 'How many lines of each log [default: 10; with --since 100000 of a host]')
            [CompletionResult]::new('--grep', '--grep', [CompletionResultType]::ParameterName, 'Only lines with this text, which is no pattern; the hosts look for it in the last GiB of each log')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--log', '--log', [CompletionResultType]::ParameterName, 'Append all messages, and what runs on each host, to a file (mode 0600)')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long a host may take to answer a short question, connecting included')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'How many hosts to work on at the same time')
            [CompletionResult]::new('-F', '-F ', [CompletionResultType]::ParameterName, 'Show new lines as they come, also after a rotation, until Ctrl-C')
            [CompletionResult]::new('--follow', '--follow', [CompletionResultType]::ParameterName, 'Show new lines as they come, also after a rotation, until Ctrl-C')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'clusterctl;history' {
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'How many operations')
            [CompletionResult]::new('--lines', '--lines', [CompletionResultType]::ParameterName, 'How many operations')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--log', '--log', [CompletionResultType]::ParameterName, 'Append all messages, and what runs on each host, to a file (mode 0600)')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long a host may take to answer a short question, connecting included')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'How many hosts to work on at the same time')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'clusterctl;diag' {
            [CompletionResult]::new('--bundle', '--bundle', [CompletionResultType]::ParameterName, 'Write all of it, of these nodes and their hosts, with the description and the layout, into a new file (0600); secrets are left out')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--log', '--log', [CompletionResultType]::ParameterName, 'Append all messages, and what runs on each host, to a file (mode 0600)')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long a host may take to answer a short question, connecting included')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'How many hosts to work on at the same time')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'clusterctl;exec' {
            [CompletionResult]::new('--as-node', '--as-node', [CompletionResultType]::ParameterName, 'On this node''s host, in its folder and environment, without its secrets')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--log', '--log', [CompletionResultType]::ParameterName, 'Append all messages, and what runs on each host, to a file (mode 0600)')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long a host may take to answer a short question, connecting included')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'How many hosts to work on at the same time')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'clusterctl;top' {
            [CompletionResult]::new('--interval', '--interval', [CompletionResultType]::ParameterName, 'How long to measure, and how often to show anew: 1s to 10s')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--log', '--log', [CompletionResultType]::ParameterName, 'Append all messages, and what runs on each host, to a file (mode 0600)')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long a host may take to answer a short question, connecting included')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'How many hosts to work on at the same time')
            [CompletionResult]::new('--once', '--once', [CompletionResultType]::ParameterName, 'Show one table, and end')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'clusterctl;df' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--log', '--log', [CompletionResultType]::ParameterName, 'Append all messages, and what runs on each host, to a file (mode 0600)')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long a host may take to answer a short question, connecting included')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'How many hosts to work on at the same time')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'clusterctl;capstats' {
            [CompletionResult]::new('--interval', '--interval', [CompletionResultType]::ParameterName, 'How long to count: 1s to 60s')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--log', '--log', [CompletionResultType]::ParameterName, 'Append all messages, and what runs on each host, to a file (mode 0600)')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long a host may take to answer a short question, connecting included')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'How many hosts to work on at the same time')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'clusterctl;traffic' {
            [CompletionResult]::new('--for', '--for', [CompletionResultType]::ParameterName, 'How long to measure: 1s to 15min')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--log', '--log', [CompletionResultType]::ParameterName, 'Append all messages, and what runs on each host, to a file (mode 0600)')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long a host may take to answer a short question, connecting included')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'How many hosts to work on at the same time')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'clusterctl;doctor' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--log', '--log', [CompletionResultType]::ParameterName, 'Append all messages, and what runs on each host, to a file (mode 0600)')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long a host may take to answer a short question, connecting included')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'How many hosts to work on at the same time')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'clusterctl;config' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--log', '--log', [CompletionResultType]::ParameterName, 'Append all messages, and what runs on each host, to a file (mode 0600)')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long a host may take to answer a short question, connecting included')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'How many hosts to work on at the same time')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'clusterctl;layout' {
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'The form [default: zeek; json with `-o json`]')
            [CompletionResult]::new('--zeek-version', '--zeek-version', [CompletionResultType]::ParameterName, 'The version of Zeek to write for, instead of the description''s')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--log', '--log', [CompletionResultType]::ParameterName, 'Append all messages, and what runs on each host, to a file (mode 0600)')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long a host may take to answer a short question, connecting included')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'How many hosts to work on at the same time')
            [CompletionResult]::new('--options', '--options', [CompletionResultType]::ParameterName, 'Print the generated options script instead of the layout')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'clusterctl;secrets' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--log', '--log', [CompletionResultType]::ParameterName, 'Append all messages, and what runs on each host, to a file (mode 0600)')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long a host may take to answer a short question, connecting included')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'How many hosts to work on at the same time')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('rotate', 'rotate', [CompletionResultType]::ParameterValue, 'Make new keys for ZeroMQ and deploy them: all nodes stop, then start, since old and new keys can''t talk')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'clusterctl;secrets;rotate' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--log', '--log', [CompletionResultType]::ParameterName, 'Append all messages, and what runs on each host, to a file (mode 0600)')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long a host may take to answer a short question, connecting included')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'How many hosts to work on at the same time')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask before acting')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask before acting')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Stop after the plan')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'clusterctl;secrets;help' {
            [CompletionResult]::new('rotate', 'rotate', [CompletionResultType]::ParameterValue, 'Make new keys for ZeroMQ and deploy them: all nodes stop, then start, since old and new keys can''t talk')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'clusterctl;secrets;help;rotate' {
            break
        }
        'clusterctl;secrets;help;help' {
            break
        }
        'clusterctl;nodes' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--log', '--log', [CompletionResultType]::ParameterName, 'Append all messages, and what runs on each host, to a file (mode 0600)')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long a host may take to answer a short question, connecting included')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'How many hosts to work on at the same time')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'clusterctl;targets' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--log', '--log', [CompletionResultType]::ParameterName, 'Append all messages, and what runs on each host, to a file (mode 0600)')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long a host may take to answer a short question, connecting included')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'How many hosts to work on at the same time')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'clusterctl;init' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--log', '--log', [CompletionResultType]::ParameterName, 'Append all messages, and what runs on each host, to a file (mode 0600)')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long a host may take to answer a short question, connecting included')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'How many hosts to work on at the same time')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'clusterctl;schema' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--log', '--log', [CompletionResultType]::ParameterName, 'Append all messages, and what runs on each host, to a file (mode 0600)')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long a host may take to answer a short question, connecting included')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'How many hosts to work on at the same time')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'clusterctl;completions' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The description of the cluster')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'The form of the result')
            [CompletionResult]::new('--log', '--log', [CompletionResultType]::ParameterName, 'Append all messages, and what runs on each host, to a file (mode 0600)')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long a host may take to answer a short question, connecting included')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'How many hosts to work on at the same time')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only the result and errors, no progress messages')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show on stderr what runs on each host, and how long it takes')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'clusterctl;help' {
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show what hosts and nodes are doing')
            [CompletionResult]::new('deploy', 'deploy', [CompletionResultType]::ParameterValue, 'Check, plan, stage, activate, and confirm that all nodes came up')
            [CompletionResult]::new('diff', 'diff', [CompletionResultType]::ParameterValue, 'Show what a deploy would change')
            [CompletionResult]::new('releases', 'releases', [CompletionResultType]::ParameterValue, 'List the releases on each host: when, by whom, with which Zeek, and which runs')
            [CompletionResult]::new('rollback', 'rollback', [CompletionResultType]::ParameterValue, 'Return to an earlier release and its topology; only nodes that differ restart')
            [CompletionResult]::new('resume', 'resume', [CompletionResultType]::ParameterValue, 'Bring hosts that were away to the release that the others run, and start their nodes')
            [CompletionResult]::new('unlock', 'unlock', [CompletionResultType]::ParameterValue, 'Free the lock of an operation that hangs; an operation that ends frees its own lock')
            [CompletionResult]::new('start', 'start', [CompletionResultType]::ParameterValue, 'Start nodes from the release on their hosts')
            [CompletionResult]::new('stop', 'stop', [CompletionResultType]::ParameterValue, 'Stop nodes')
            [CompletionResult]::new('restart', 'restart', [CompletionResultType]::ParameterValue, 'Stop nodes and start them again')
            [CompletionResult]::new('maintain', 'maintain', [CompletionResultType]::ParameterValue, 'Archive leftover logs, delete expired logs, start nodes that are down, check free disk space')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Check the description, then let the real Zeek parse the scripts on the hosts; changes nothing that runs')
            [CompletionResult]::new('print', 'print', [CompletionResultType]::ParameterValue, 'Ask nodes for the value of a global identifier, such as `Cluster::nodes`')
            [CompletionResult]::new('netstats', 'netstats', [CompletionResultType]::ParameterValue, 'Show packets received, dropped and on the link, of nodes, interfaces and all')
            [CompletionResult]::new('peerstatus', 'peerstatus', [CompletionResultType]::ParameterValue, 'Show which nodes see which others, and who does not see whom')
            [CompletionResult]::new('events', 'events', [CompletionResultType]::ParameterValue, 'Show what happens on the nodes, until Ctrl-C: nodes that come and go, warnings and errors')
            [CompletionResult]::new('logs', 'logs', [CompletionResultType]::ParameterValue, 'Show what nodes log and print, merged in time order')
            [CompletionResult]::new('history', 'history', [CompletionResultType]::ParameterValue, 'Show who did what when on the hosts, the last operations at the end')
            [CompletionResult]::new('diag', 'diag', [CompletionResultType]::ParameterValue, 'Show what is wrong with nodes: how they ended, what they printed, how they were started')
            [CompletionResult]::new('exec', 'exec', [CompletionResultType]::ParameterValue, 'Run a command on hosts, without a shell: its words arrive as they are')
            [CompletionResult]::new('top', 'top', [CompletionResultType]::ParameterValue, 'Show what nodes and hosts do, live: CPU, memory, threads, packets, drops')
            [CompletionResult]::new('df', 'df', [CompletionResultType]::ParameterValue, 'Show the file systems that the cluster uses on each host, and how full they are')
            [CompletionResult]::new('capstats', 'capstats', [CompletionResultType]::ParameterValue, 'Show what arrives at the interfaces that nodes capture from: packets and bits per second, drops')
            [CompletionResult]::new('traffic', 'traffic', [CompletionResultType]::ParameterValue, 'Check the traffic that nodes capture: drops, gaps, missing directions, duplicates')
            [CompletionResult]::new('doctor', 'doctor', [CompletionResultType]::ParameterValue, 'Check that each host has what it needs, and print what root must run once; changes nothing')
            [CompletionResult]::new('config', 'config', [CompletionResultType]::ParameterValue, 'Show every setting with its value and where it came from; connects to no host')
            [CompletionResult]::new('layout', 'layout', [CompletionResultType]::ParameterValue, 'Print Zeek''s layout; connects to no host')
            [CompletionResult]::new('secrets', 'secrets', [CompletionResultType]::ParameterValue, 'Manage the keys that encrypt the traffic between nodes')
            [CompletionResult]::new('nodes', 'nodes', [CompletionResultType]::ParameterValue, 'List nodes with their hosts, addresses, ports and CPUs')
            [CompletionResult]::new('targets', 'targets', [CompletionResultType]::ParameterValue, 'Print the metrics ports of nodes for Prometheus (`file_sd`)')
            [CompletionResult]::new('init', 'init', [CompletionResultType]::ParameterValue, 'Write a commented first description, if there is none')
            [CompletionResult]::new('schema', 'schema', [CompletionResultType]::ParameterValue, 'Print the JSON Schema of the description, for editors')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print the completion script of a shell')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'clusterctl;help;status' {
            break
        }
        'clusterctl;help;deploy' {
            break
        }
        'clusterctl;help;diff' {
            break
        }
        'clusterctl;help;releases' {
            break
        }
        'clusterctl;help;rollback' {
            break
        }
        'clusterctl;help;resume' {
            break
        }
        'clusterctl;help;unlock' {
            break
        }
        'clusterctl;help;start' {
            break
        }
        'clusterctl;help;stop' {
            break
        }
        'clusterctl;help;restart' {
            break
        }
        'clusterctl;help;maintain' {
            break
        }
        'clusterctl;help;check' {
            break
        }
        'clusterctl;help;print' {
            break
        }
        'clusterctl;help;netstats' {
            break
        }
        'clusterctl;help;peerstatus' {
            break
        }
        'clusterctl;help;events' {
            break
        }
        'clusterctl;help;logs' {
            break
        }
        'clusterctl;help;history' {
            break
        }
        'clusterctl;help;diag' {
            break
        }
        'clusterctl;help;exec' {
            break
        }
        'clusterctl;help;top' {
            break
        }
        'clusterctl;help;df' {
            break
        }
        'clusterctl;help;capstats' {
            break
        }
        'clusterctl;help;traffic' {
            break
        }
        'clusterctl;help;doctor' {
            break
        }
        'clusterctl;help;config' {
            break
        }
        'clusterctl;help;layout' {
            break
        }
        'clusterctl;help;secrets' {
            [CompletionResult]::new('rotate', 'rotate', [CompletionResultType]::ParameterValue, 'Make new keys for ZeroMQ and deploy them: all nodes stop, then start, since old and new keys can''t talk')
            break
        }
        'clusterctl;help;secrets;rotate' {
            break
        }
        'clusterctl;help;nodes' {
            break
        }
        'clusterctl;help;targets' {
            break
        }
        'clusterctl;help;init' {
            break
        }
        'clusterctl;help;schema' {
            break
        }
        'clusterctl;help;completions' {
            break
        }
        'clusterctl;help;help' {
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
