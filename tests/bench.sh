#!/usr/bin/env bash
# Prints the figures that clusterctl promises, counted and measured here. No test: nothing fails for being slow.
# Builds release binaries first; what runs then runs on this machine, over a real sshd on the loopback address, with
# zeek-sim as Zeek, and is gone at the end. Prints to stderr what it leaves out, and why.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
cd "$here/.."
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
clusterctl=$target/release/clusterctl

say() { printf '%s\n' "$*" >&2; }
have() { command -v "$1" >/dev/null; }

if [ -z "${BENCH_APART:-}" ]; then
	cargo build --release --locked --package clusterctl --package zeek-sim
	export BENCH_APART=no
	if [ "$(id -u)" = 0 ]; then
		PATH=$PATH:/usr/sbin:/sbin
		missing=()
		have sshd || missing+=(openssh-server)
		have strace || missing+=(strace)
		have perl || missing+=(perl)
		[ -x /usr/bin/time ] || missing+=(time)
		if [ ${#missing[@]} -gt 0 ] && have apt-get; then
			{ apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
				"${missing[@]}"; } >/dev/null
		fi
		# With process ids of its own: other Zeeks of this machine are no strays here, and nothing outlives us.
		if unshare --pid --fork --mount-proc --kill-child true 2>/dev/null; then
			BENCH_APART=yes exec unshare --pid --fork --mount-proc --kill-child "$here/bench.sh"
		fi
	fi
fi
[ "$BENCH_APART" = yes ] || say "note: other Zeeks on this machine are counted as strays, and add processes"
sshd=$(PATH=$PATH:/usr/sbin:/sbin command -v sshd) || { say "error: sshd is missing: install openssh-server" && exit 1; }
have perl || { say "error: perl is missing" && exit 1; }

work=$(mktemp -d /tmp/cc-bench.XXXXXX)
server=
line=
strays=()
cleanup() {
	trap '' INT TERM HUP
	trap - EXIT
	if [ -e "$work/cluster.yaml" ]; then
		run stop -q >/dev/null 2>&1 || true
	fi
	for socket in "$work"/run/clusterctl/*; do
		[ ! -S "$socket" ] || ssh -F none -S "$socket" -O exit bench 2>/dev/null || true
	done
	# shellcheck disable=SC2046  # pids
	[ -z "$server" ] || kill "$server" $(children "$server") 2>/dev/null || true
	kill ${line:+"$line"} "${strays[@]}" 2>/dev/null || true
	wait || true
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

row() { printf '%-48s | %-18s | %s\n' "$@"; }
# The pids of all processes below one.
children() {
	local child list
	list=$(cat "/proc/$1/task/$1/children" 2>/dev/null) || return 0
	for child in $list; do
		printf '%s\n' "$child"
		children "$child"
	done
}
# Milliseconds with one digit after the point; of several lines the one in the middle.
ms() { printf '%d.%d' $(($1 / 1000)) $(($1 % 1000 / 100)); }
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
# The microseconds that a command takes, each of N times. What it says and how it ends does not matter.
times() {
	local n=$1 i from
	shift
	for ((i = 0; i < n; i++)); do
		from=${EPOCHREALTIME/[.,]/}
		"$@" >/dev/null 2>&1 </dev/null || true
		printf '%s\n' $((${EPOCHREALTIME/[.,]/} - from))
	done
}
run() {
	env -i PATH="$PATH" HOME="$work" USER=bench XDG_RUNTIME_DIR="$work/run" \
		"$clusterctl" -f "$work/cluster.yaml" "$@" </dev/null
}

row "what" "promised" "measured"
row "----" "--------" "--------"

# ---- Without a connection

row "start to --version, median of 20" "10 ms" "$(ms "$(times 20 "$clusterctl" --version | median)") ms"

# 100 hosts with 100 workers each, less the cluster's own four nodes.
{
	printf 'cluster: bench\nzeek: { version: "8.0" }\nhosts:\n'
	for i in $(seq 100); do printf '  h%s: { address: 10.0.%s.1 }\n' "$i" "$i"; done
	printf 'nodes:\n  manager: { type: manager, host: h1 }\n  logger: { type: logger, host: h1, count: 2 }\n'
	printf '  proxy: { type: proxy, host: h1, count: 1 }\n  worker:\n    type: worker\n    interface: eth1\n'
	printf '    count: 100\n    hosts:\n      h1: { count: 96 }\n'
	for i in $(seq 2 100); do printf '      h%s: {}\n' "$i"; done
} >"$work/10000.yaml"
nodes=$("$clusterctl" -f "$work/10000.yaml" layout | grep -c 'node_type=' || true)
row "layout of $nodes nodes, median of 5" "100 ms" \
	"$(ms "$(times 5 "$clusterctl" -f "$work/10000.yaml" layout | median)") ms"
peak="not measured: /usr/bin/time is missing"
if [ -x /usr/bin/time ]; then
	/usr/bin/time -f %M -o "$work/peak" "$clusterctl" -f "$work/10000.yaml" layout >/dev/null
	peak="$(($(cat "$work/peak") / 1024)) MiB"
fi
row "layout of $nodes nodes, peak of resident memory" "100 MiB" "$peak"

# ---- Over SSH: sshd, and before it a line that counts bytes and can be made slow

mkdir -p "$work/run" "$work/home" "$work/zeek/bin" "$work/zeek/etc" "$work/zeek/share/zeek" "$work/site"
cp "$target/release/zeek-sim" "$work/zeek/bin/zeek"
printf 'packets=1000\n' >"$work/zeek/etc/zeek-sim.conf"
[ "$(id -u)" != 0 ] || mkdir -p /run/sshd
for key in host_key id; do ssh-keygen -q -t ed25519 -N '' -C "$key" -f "$work/$key"; done
listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
free_port() {
	local port
	while port=$((20000 + RANDOM % 10000)) && listens "$port"; do :; done
	printf '%s' "$port"
}
sshd_port=$(free_port)
line_port=$(free_port)
# Nodes take ports from here on.
base_port=$((30000 + RANDOM % 7 * 300))
cp "$work/id.pub" "$work/authorized_keys"
printf '[127.0.0.1]:%s %s\n' "$line_port" "$(cat "$work/host_key.pub")" >"$work/known_hosts"
cat >"$work/sshd_config" <<-END_
	Port $sshd_port
	ListenAddress 127.0.0.1
	HostKey $work/host_key
	AuthorizedKeysFile $work/authorized_keys
	PidFile none
	UsePAM no
	StrictModes no
	PasswordAuthentication no
	KbdInteractiveAuthentication no
	PermitRootLogin yes
	PrintMotd no
	LogLevel DEBUG1
	SetEnv HOME=$work/home
	ForceCommand exec $here/bench/ledger.sh $work
END_
cat >"$work/ssh_config" <<-END_
	Host *
	    IdentityFile $work/id
	    IdentitiesOnly yes
	    IdentityAgent none
	    UserKnownHostsFile $work/known_hosts
	    GlobalKnownHostsFile /dev/null
	    StrictHostKeyChecking yes
END_
"$sshd" -D -f "$work/sshd_config" -E "$work/sshd.log" </dev/null &
server=$!
printf '0\n' >"$work/delay"
perl "$here/bench/line.pl" "$line_port" "$sshd_port" "$work" </dev/null &
line=$!
for port in "$sshd_port" "$line_port"; do
	for _ in $(seq 200); do
		! listens "$port" || break
		sleep 0.05
	done
	listens "$port" || { say "error: nothing listens on port $port" && cat "$work/sshd.log" >&2 && exit 1; }
done

# Writes the description with so many workers beside a manager and a proxy.
describe() {
	cat >"$work/cluster.yaml" <<-END_
		cluster: bench
		zeek: { prefix: $work/zeek, site: ./site, scripts: [local], backend: broker }
		paths: { base: $work/base }
		ports: { base: $base_port, control: $((base_port + 299)) }
		metrics: { listen: off }
		timeouts: { ready: 30s, stop: 10s, control: 10s }
		ssh: { config: $work/ssh_config, port: $line_port, persist: 10m }
		hosts: { one: { address: 127.0.0.1 } }
		nodes:
		  manager: { type: manager, host: one }
		  proxy: { type: proxy, host: one, count: 1 }
		  worker: { type: worker, host: one, count: $1, interface: lo }
	END_
}
deploy() { run deploy --yes >"$work/said" 2>&1 || { cat "$work/said" >&2 && exit 1; }; }
# Waits until all workers answer and are counted. Strays are trouble too, so the exit code says less.
settle() {
	local workers=$1
	for _ in $(seq 300); do
		run status >"$work/said" 2>&1 || true
		! grep -qF "$workers described, $workers running, $workers answering, $workers counted" "$work/said" || return 0
		sleep 0.1
	done
	cat "$work/said" >&2
	exit 1
}
processes_of_nodes() { cat "$work"/base/bench/nodes/*/run 2>/dev/null | grep '^id ' | sort; }

# Sets trips and took.
DELAY=0.1
count_trips() {
	local fast slow
	fast=$(times 5 "$@" | median)
	printf '%s\n' "$DELAY" >"$work/delay"
	slow=$(times 3 "$@" | median)
	printf '0\n' >"$work/delay"
	sleep 0.3
	trips=$(awk -v t="$((slow - fast))" -v d="$DELAY" 'BEGIN { printf "%.1f", t / 1000000 / (2 * d) }')
	took=$(ms "$fast")
}
# What one command does on the warm connection. Sets sessions, forwards, forks, programs, sent, received and trips.
# The promises are about numbers, so numbers are taken: sessions from sshd's log, processes with strace, bytes from the
# line. Round trips are what a command takes longer over a line that takes longer.
observe() {
	local from pids tracer='' pid before after
	# The last command's channels are closed by then.
	sleep 0.3
	from=$(wc -l <"$work/sshd.log")
	read -r -a before <"$work/counts"
	"$@" >"$work/said" 2>&1 || true
	# Until the channels are closed.
	sleep 0.3
	read -r -a after <"$work/counts"
	sent=$((after[0] - before[0])) received=$((after[1] - before[1]))
	sessions=$(tail -n "+$((from + 1))" "$work/sshd.log" | grep -c 'Starting session: ' || true)
	forwards=$(tail -n "+$((from + 1))" "$work/sshd.log" | grep -c 'server_request_direct_tcpip: ' || true)

	forks='not counted' programs=
	if have strace; then
		# Those of sshd that serve connections; the nodes are children of init by now.
		pids=$(children "$server")
		# shellcheck disable=SC2086,SC2046  # pids
		strace -f -qq -e trace=process -e signal=none -o "$work/trace" $(printf ' -p %s' $pids) 2>"$work/strace" &
		tracer=$!
		for pid in $pids; do
			for _ in $(seq 100); do
				grep -q '^TracerPid:.*[1-9]' "/proc/$pid/status" 2>/dev/null && break
				kill -0 "$tracer" 2>/dev/null || break
				sleep 0.05
			done
		done
		if kill -0 "$tracer" 2>/dev/null; then
			"$@" >/dev/null 2>&1 || true
			sleep 0.3
			kill "$tracer"
			forks=$(grep -cE '(clone3?|v?fork)(\(| resumed>).* = [1-9][0-9]*$' "$work/trace" || true)
			programs=$(sed -nE '/ = -1 /d; s/.*execve\("([^"]*\/)?([^"/]+)".*/\2/p' "$work/trace" | sort | uniq -c |
				awk '{ printf "%s%s%s", sep, $2, ($1 > 1 ? " x" $1 : ""); sep = ", " }')
		else
			say "note: strace can't attach: $(head -n 1 "$work/strace")"
		fi
		wait "$tracer" 2>/dev/null || true
	fi

	count_trips "$@"
}

show_status() {
	row "status, $1 nodes: scripts run on the host" "1" "$sessions"
	row "  ways opened to the manager" "1" "$forwards"
	row "  processes there" "6, for any number" "$forks${programs:+ ($programs)}"
	row "  round trips on the wire" "5" "$trips ($took ms without delay)"
	row "  bytes there and back" "-" "$sent + $received"
}
show_deploy() {
	row "deploy without a change, $1 nodes: scripts run" "1" "$sessions"
	row "  round trips on the wire" "-" "$trips ($took ms without delay)"
	row "  processes there" "-" "$forks${programs:+ ($programs)}"
	row "  nodes restarted" "0" "$2"
	row "  bytes there and back" "-" "$sent + $received"
}
restarted() { comm -13 <(printf '%s\n' "$1") <(processes_of_nodes) | wc -l; }

# What each script of a deploy is called, by words that it alone has.
call_of() {
	local name words
	while read -r name words; do
		grep -qF -- "$words" "$1" && printf '%s' "$name" && return
	done <<-'END_'
		lock set -C && printf
		stage .stage-$id
		check --parse-only
		activate current.new
		start supervisor.sh
		stop killed=
		observe known_$
	END_
	printf 'other'
}
# Deploys after a change of one script, and shows what the sessions' stdin was.
deploy_change() {
	local nodes=$1 size=$2 command stdin name script length total=0 before staged='' calls=''
	before=$(processes_of_nodes)
	head -c "$size" /dev/urandom | base64 -w 76 | sed 's/^/#/' >"$work/extra"
	{ head -c "$((size - 1))" "$work/extra" && echo; } >"$work/site/extra.zeek"
	sleep 0.3
	local -a at now
	read -r -a at <"$work/counts"
	mkdir "$work/ledger"
	deploy
	sleep 0.3
	read -r -a now <"$work/counts"
	mv "$work/ledger" "$work/ledger.done"
	for command in "$work"/ledger.done/*.command; do
		stdin=${command%.command}.stdin
		script=$(awk '{ print $NF }' "$command")
		length=$(wc -c <"$stdin")
		total=$((total + length))
		name=$(call_of "$stdin")
		calls="$calls $name"
		[ "$name" != stage ] || staged="$length $script"
	done
	rm -rf "$work/ledger.done"
	# shellcheck disable=SC2086
	set -- $staged
	row "deploy of one script of $size bytes, $nodes nodes:" "" ""
	row "  bytes sent for staging, script and all" "$size + 4096" "$1 = $size + $(($1 - size))"
	row "  the same without the script that is run" "$size + 4096" "$(($1 - $2)) = $size + $(($1 - $2 - size))"
	row "  bytes sent, all steps (on the wire)" "-" "$total ($((now[0] - at[0])))"
	# shellcheck disable=SC2086
	row "  scripts run" "-" "$(printf '%s\n' $calls | wc -l) ($(printf '%s\n' $calls | uniq -c |
		awk '{ printf "%s%s%s", sep, $2, ($1 > 1 ? " x" $1 : ""); sep = ", " }'))"
	row "  nodes restarted (the script is theirs)" "$nodes" "$(restarted "$before")"
}

printf '@load ./extra\n' >"$work/site/local.zeek"
printf '# extra\n' >"$work/site/extra.zeek"
for workers in 1 18; do
	nodes=$((workers + 2))
	describe "$workers"
	deploy
	settle "$workers"
	observe run status
	show_status "$nodes"
	before=$(processes_of_nodes)
	observe run deploy --yes
	show_deploy "$nodes" "$(restarted "$before")"
	deploy_change "$nodes" 100
	deploy_change "$nodes" 100000
	settle "$workers"
done

# Zeeks that are not ours, to the host's eyes.
mkdir "$work/strays"
cp "$(command -v sleep)" "$work/strays/zeek"
for _ in 1 2 3 4 5; do
	"$work/strays/zeek" 600 </dev/null >/dev/null 2>&1 &
	strays+=("$!")
done
observe run status
row "status, and five strays: processes there" "7, for any number" "$forks${programs:+ ($programs)}"
kill "${strays[@]}"
strays=()

# ---- A crash: from the death of a node's process to the next one, and until that is ready

# Sets started and ready to microseconds.
crash() {
	local node=$work/base/bench/nodes/$1 old pid from status
	old=$(head -n 1 "$node/run")
	read -r _ _ pid _ <"$node/run"
	from=${EPOCHREALTIME/[.,]/}
	kill -KILL "$pid"
	while [ ! -s "$node/run" ] || [ "$(head -n 1 "$node/run")" = "$old" ]; do sleep 0.01; done
	started=$((${EPOCHREALTIME/[.,]/} - from))
	until { read -r status _ <"$node/.status"; } 2>/dev/null && [ "$status" = RUNNING ]; do sleep 0.01; done
	ready=$((${EPOCHREALTIME/[.,]/} - from))
}
crash worker-1
row "crash to started again, runner process, first" "2 s" "$(ms "$started") ms (zeek-sim ready: $(ms "$ready") ms)"
crash worker-1
row "  second crash within a minute" "growing pauses" "$(ms "$started") ms"
settle "$workers"

run stop -q >/dev/null 2>&1
# Memory of a supervisor: of one alone, since several share their pages. The shell is what `sh` is on a host.
release=$(cd -P "$work/base/bench/current" && pwd)
node=$work/base/bench/nodes/worker-1
for shell in dash bash busybox; do
	path=$(command -v "$shell") || { say "note: no $shell here, so none is measured" && continue; }
	mkdir -p "$work/as-$shell"
	ln -sf "$path" "$work/as-$shell/sh"
	printf 'running %s\n' "${release##*/}" >"$node/want"
	rm -f "$node/stop" "$node/.status"
	PATH=$work/as-$shell:$PATH setsid sh "$release/clusterctl/supervisor.sh" "$work/base/bench" "$node" "$release" worker-1 \
		</dev/null >/dev/null 2>&1 &
	started=$!
	for _ in $(seq 200); do
		! grep -qs RUNNING "$node/.status" || break
		sleep 0.05
	done
	read -r _ _ pid _ <"$node/supervisor"
	pss=$(sed -n 's/^Pss: *\([0-9]*\) kB/\1/p' "/proc/$pid/smaps_rollup")
	row "memory of a supervisor (PSS) under $shell" "1024 KiB" "$pss KiB"
	: >"$node/stop"
	kill -TERM "$pid"
	wait "$started" || true
done
run stop -q >/dev/null 2>&1

# Nodes that do not run are not asked.
observe run status
row "status, nothing runs: the host's facts alone" "1.5" "$trips ($took ms without delay)"
# The least that can be had from OpenSSH: a channel, a command, and what the command is sent.
for socket in "$work"/run/clusterctl/*; do [ ! -S "$socket" ] || master=$socket; done
plain() { ssh -F none -S "$master" bench "$1"; }
with_input() { echo | plain cat; }
count_trips plain true
without=$trips
count_trips with_input
row "to compare: ssh itself, without and with stdin" "-" "$without and $trips"
