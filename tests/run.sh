#!/usr/bin/env bash
# Runs all tests: unit and integration tests, then the suite on the lab's hosts. Needs Rust, Debian and root.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
	cat <<-'END'
		usage: tests/run.sh [--zeek PREFIX] [--no-lab] [--only unit|lab] [--runner NAME] [--account NAME]
		                    [--full] [--labs N] [--skip NAME]... [TEST...]

		  --zeek PREFIX    use the real Zeek installed there in place of zeek-sim
		  --no-lab         leave out the lab (hosts in systemd-nspawn; needs root)
		  --only WHAT      unit: the tests without a lab; lab: the lab's suite alone
		  --runner NAME    the lab's suite with process or systemd only; both if not given
		  --account NAME   the lab's suite as zeek or root only; both if not given
		  --full           as root too, all of the lab's suite, and not only what an account makes a difference to
		  --labs N         how many labs are up at the same time (2)
		  --skip NAME      leave out those of the lab's tests whose names contain it
		  TEST             only those of the lab's tests whose names contain it: lab::faults::disk

		The combinations (tests/lab/README.md) are steps of their own: on one host after the other tests without a lab,
		when nothing else runs; on several hosts in a lab of their own, which chooses runners and accounts itself
		(left out with --runner, --account, a real Zeek or a TEST). CLUSTERCTL_SEED=N has others tried.
	END
}

die() {
	printf 'run.sh: error: %s\n' "$*" >&2
	exit 2
}

zeek=
unit=yes
lab=yes
runners=(process systemd)
accounts=(zeek root)
labs=2
full=no
filters=()
# What is another test for root than for an ordinary account: rights, folders, capabilities, units, secrets.
of_root=(lab::doctor lab::runners lab::secrets lab::logs lab::main_job::the_main_job lab::faults::accounts
	lab::faults::disk lab::faults::killed lab::faults::hosts)
skips=()
combined=yes
while [ $# -gt 0 ]; do
	case $1 in
	--zeek)
		[ $# -ge 2 ] || die "--zeek needs the prefix of a Zeek"
		zeek=$(cd "$2" && pwd) || die "--zeek: no folder $2"
		[ -x "$zeek/bin/zeek" ] || die "--zeek: no $zeek/bin/zeek"
		shift
		;;
	--no-lab) lab=no ;;
	--full) full=yes ;;
	--only)
		case ${2:-} in
		unit) lab=no ;;
		lab) unit=no ;;
		*) die "--only takes unit or lab" ;;
		esac
		shift
		;;
	--runner)
		case ${2:-} in
		process | systemd) runners=("$2") combined=no ;;
		*) die "--runner takes process or systemd" ;;
		esac
		shift
		;;
	--account)
		case ${2:-} in
		zeek | root) accounts=("$2") combined=no ;;
		*) die "--account takes zeek or root" ;;
		esac
		shift
		;;
	--labs)
		[[ ${2:-} =~ ^[1-9]$ ]] || die "--labs takes a number from 1 to 9"
		labs=$2
		shift
		;;
	-h | --help)
		usage
		exit 0
		;;
	--skip)
		[ $# -ge 2 ] || die "--skip needs a part of a test's name"
		skips+=(--skip "$2")
		[[ lab::combinations::combinations_on_hosts != *"$2"* ]] || combined=no
		shift
		;;
	lab::*) filters+=("$1") ;;
	*)
		usage >&2
		exit 2
		;;
	esac
	shift
done
[ ${#filters[@]} = 0 ] && [ -z "$zeek" ] || combined=no
[ "$lab$unit" != nono ] || die "--no-lab leaves nothing of --only lab"

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
export CARGO_TARGET_DIR=$target
log=$target/lab/log
ran=()
broken=()
passed=0
failed=0
# The labs that may be up, by their numbers, and what runs in them.
lab_ids=()
workers=()
child=
runtime=
policy=

heading() { printf '\n== %s\n' "$*"; }

# Ends the running step with all its processes: each has a process group of its own (set -m).
stop_child() {
	[ -n "$child" ] || return 0
	kill -TERM -- "-$child" 2>/dev/null || true
	wait "$child" 2>/dev/null || true
	child=
}

# The number of the n-th lab: far from those that somebody works with by hand.
lab_id() { printf '%s\n' $((89 + $1)); }

# Takes all labs down, whatever state they are in.
labs_down() {
	local id status=0
	for id in ${lab_ids[@]+"${lab_ids[@]}"}; do LAB_ID=$id tests/lab/lab.sh down || status=1; done
	lab_ids=()
	return "$status"
}

cleanup() {
	local status=$?
	trap '' INT TERM HUP
	trap - EXIT
	stop_child
	local worker
	for worker in ${workers[@]+"${workers[@]}"}; do
		kill -TERM -- "-$worker" 2>/dev/null || true
		wait "$worker" 2>/dev/null || true
	done
	[ -z "$policy" ] || rm -f "$policy"
	labs_down || status=1
	if [ -n "$runtime" ]; then
		# SSH connections that were left open for the next command; their sockets are in our own folder.
		{ pgrep -f -- "$runtime/" || true; } | while read -r pid; do kill "$pid" 2>/dev/null || true; done
		rm -rf "$runtime"
	fi
	exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# Runs a step to its end, or to ours, and keeps what it says.
step() {
	local name=$1 status=0 follower
	shift
	heading "$name"
	ran+=("$name")
	set -m
	: >"$log/step.log"
	# To a file and not into a pipe: a process that a test left behind must not hold us up.
	"$@" </dev/null >"$log/step.log" 2>&1 &
	child=$!
	set +m
	tail --lines=+1 --follow --sleep-interval=0.2 --pid="$child" "$log/step.log" &
	follower=$!
	wait "$child" || status=$?
	child=
	wait "$follower" || true
	[ "$status" = 0 ] || broken+=("$name")
	return "$status"
}

# Adds up cargo's own result lines in a file.
count() {
	local line file=${1:-$log/step.log}
	while read -r line; do
		[[ $line =~ ^test\ result:\ .*\ ([0-9]+)\ passed\;\ ([0-9]+)\ failed ]] || continue
		passed=$((passed + BASH_REMATCH[1]))
		failed=$((failed + BASH_REMATCH[2]))
	done <"$file"
}

install_packages() {
	local wanted=() missing=() package
	# sshd: the transport's tests and the lab. The shells: login shells, completions, and the scripts on hosts; shellcheck
	# reads those as well. The rest: the lab.
	wanted=(openssh-server openssh-client openssl procps jq bash zsh fish tcsh busybox dash mksh ksh93u+m shellcheck python3-venv)
	[ "$lab" = no ] || wanted+=(debootstrap systemd-container iproute2 libcap2-bin util-linux)
	[ -z "$zeek" ] || wanted+=(tcpreplay iproute2 util-linux)
	command -v cc >/dev/null || wanted+=(gcc libc6-dev)
	for package in "${wanted[@]}"; do
		# shellcheck disable=SC2016  # dpkg's own variable
		case $(dpkg-query --show --showformat='${Status}' "$package" 2>/dev/null) in
		*' installed') ;;
		*) missing+=("$package") ;;
		esac
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	[ "$(id -u)" = 0 ] || die "not installed: ${missing[*]}; run as root, or: apt-get install ${missing[*]}"
	heading "apt-get install ${missing[*]}"
	# What is installed is for the tests alone: no sshd on this machine's port 22.
	if [ ! -e /usr/sbin/policy-rc.d ]; then
		policy=/usr/sbin/policy-rc.d
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod 755 "$policy"
	fi
	{ apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"; } \
		>"$log/apt.log" 2>&1 </dev/null || {
		tail -n 20 "$log/apt.log" >&2
		die "apt-get could not install ${missing[*]} ($log/apt.log)"
	}
	if [ -n "$policy" ]; then
		rm -f "$policy"
		policy=
	fi
}

# Parsers that are not ours, for what we generate: zeek-format of Zeek's language, prometheus_client of its text format.
# With a real Zeek also scapy, which makes traces.
install_from_pypi() {
	local venv=$target/venv
	local want=(zeekscript==1.3.6 prometheus-client==0.26.0)
	[ -z "$zeek" ] || want+=(scapy==2.8.0)
	if [ "$(cat "$venv/installed" 2>/dev/null)" != "${want[*]}" ]; then
		heading "${want[*]} into $venv"
		rm -rf "$venv"
		{ /usr/bin/python3 -m venv "$venv" && "$venv/bin/pip" install --quiet "${want[@]}"; } >"$log/pip.log" 2>&1 </dev/null || {
			tail -n 20 "$log/pip.log" >&2
			die "pip could not install ${want[*]} ($log/pip.log)"
		}
		printf '%s\n' "${want[*]}" >"$venv/installed"
	fi
	export ZEEK_FORMAT=$venv/bin/zeek-format PROMETHEUS_PYTHON=$venv/bin/python
	[ -z "$zeek" ] || export CLUSTERCTL_SCAPY=$venv/bin/python
}

mkdir -p "$log"
command -v cargo >/dev/null || die "cargo is not in PATH; install Rust first"
[ "$lab" = no ] || [ "$(id -u)" = 0 ] || die "the lab needs root; --no-lab leaves it out"
install_packages
install_from_pypi

# The sockets of SSH connections go where no one else's are, on a short path.
runtime=$(mktemp -d /tmp/cc.XXXXXX)
export XDG_RUNTIME_DIR=$runtime
# What a test needs is installed: one that finds it missing fails.
export CLUSTERCTL_NO_SKIP=1
if [ -n "$zeek" ]; then
	export CLUSTERCTL_ZEEK=$zeek
fi

tests() {
	[ "$unit" = no ] || {
		# They wait more than they work, for nodes to start and to stop.
		step "cargo test --workspace" \
			env RUST_TEST_THREADS="${RUST_TEST_THREADS:-$((2 * $(nproc)))}" \
			cargo test --workspace --locked --no-fail-fast || true
		count
		# By themselves: two cases at a time, which kill and start nodes all the time, are enough for two processors.
		step "combinations on one host" \
			cargo test --locked --test it combinations_on_one_host -- --ignored --nocapture || true
		count
	}
	[ "$lab" = no ] || lab_tests
}

# One part of the lab's suite, in a lab of its own: a runner and an account, or the combinations. Its process group is the
# caller's.
lab_suite() {
	local id=$1 name=$2 runner=${2%-*} account=${2#*-} status=0 follower child tests=("${filters[@]}")
	if [ "$name" = combinations ]; then
		runner=process account=zeek
		tests=(lab::combinations --nocapture)
	elif [ ${#tests[@]} = 0 ]; then
		tests=(lab:: --skip lab::combinations)
		if [ "$account" = root ] && [ "$full" = no ]; then tests=("${of_root[@]}"); fi
	fi
	export LAB_ID=$id CLUSTERCTL_LAB_RUNNER=$runner CLUSTERCTL_LAB_ACCOUNT=$account
	# The sockets of one lab's connections do not outlive it.
	export XDG_RUNTIME_DIR=$runtime/$id-$name
	mkdir -p "$XDG_RUNTIME_DIR"
	: >"$log/lab-$name.log"
	if CLUSTERCTL_LAB=$(tests/lab/lab.sh up 2>>"$log/lab-$name.log"); then
		export CLUSTERCTL_LAB
		# To a file and not into a pipe: a process that a test left behind must not hold us up.
		cargo test --locked --test it -- "${tests[@]}" "${skips[@]}" --test-threads=1 --include-ignored \
			</dev/null >>"$log/lab-$name.log" 2>&1 &
		child=$!
		tail --lines=+1 --follow --sleep-interval=0.5 --pid="$child" "$log/lab-$name.log" | sed --unbuffered "s/^/[$name] /" &
		follower=$!
		wait "$child" || status=$?
		wait "$follower" || true
		[ "$status" = 0 ] || tests/lab/lab.sh logs || true
	else
		sed "s/^/[$name] /" "$log/lab-$name.log"
		status=1
	fi
	tests/lab/lab.sh down || status=1
	printf '%s\n' "$status" >"$log/lab-$name.status"
}

# Works through the parts that nobody else has taken.
lab_worker() {
	local number=$1 part
	shift
	for part in "$@"; do
		if mkdir "$runtime/taken-$part" 2>/dev/null; then lab_suite "$(lab_id "$number")" "$part"; fi
	done
}

lab_tests() {
	local parts=() runner account name number before
	# What takes longest first: who is done takes the next one.
	for account in "${accounts[@]}"; do
		for runner in "${runners[@]}"; do parts+=("$runner-$account"); done
		[ "$account" = root ] || [ "$combined" = no ] || parts+=(combinations)
	done
	rm -f "$log"/lab-*.log "$log"/lab-*.status
	[ "$labs" -le ${#parts[@]} ] || labs=${#parts[@]}
	# Everything that labs share is made before there is more than one.
	step "the hosts' base file system" tests/lab/lab.sh base || return 0
	if [ -n "$zeek" ]; then
		export LAB_ZEEK=$zeek
	else
		LAB_ZEEK=$(tests/lab/lab.sh simprefix)
		export LAB_ZEEK
	fi
	heading "the lab's suite, with ${zeek:-zeek-sim}: ${parts[*]}"
	for ((number = 1; number <= labs; number++)); do
		set -m
		lab_worker "$number" "${parts[@]}" &
		workers+=("$!")
		set +m
	done
	for worker in "${workers[@]}"; do wait "$worker" || true; done
	workers=()
	for name in "${parts[@]}"; do
		ran+=("lab $name")
		before=$((passed + failed))
		[ ! -e "$log/lab-$name.log" ] || count "$log/lab-$name.log"
		if [ "$(cat "$log/lab-$name.status" 2>/dev/null)" != 0 ]; then
			broken+=("lab $name")
		elif [ $((passed + failed)) = "$before" ]; then
			printf 'run.sh: error: the lab suite ran no test as %s\n' "$name" >&2
			broken+=("no lab test as $name")
		fi
	done
}

# An earlier run that was killed may have left its labs.
if [ "$lab" = yes ]; then
	for ((number = 1; number <= labs; number++)); do lab_ids+=("$(lab_id "$number")"); done
	for id in "${lab_ids[@]}"; do LAB_ID=$id tests/lab/lab.sh down; done
fi
if step "cargo build" cargo build --workspace --tests --bins --locked; then tests; fi
labs_down || broken+=("lab down")

heading "ran: $(printf '%s; ' "${ran[@]}")"
[ ${#broken[@]} = 0 ] || printf 'not well: %s(logs: %s)\n' "$(printf '%s; ' "${broken[@]}")" "$log"
printf '%s passed, %s failed\n' "$passed" "$failed"
[ ${#broken[@]} = 0 ] && [ "$failed" = 0 ]
