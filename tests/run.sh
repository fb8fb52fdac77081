#!/usr/bin/env bash
# Runs all tests: unit and integration tests, then the suite on the lab's hosts. Needs Rust, Debian and root.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
	cat <<-'END'
		usage: tests/run.sh [--zeek PREFIX] [--no-lab] [--only unit|lab]

		  --zeek PREFIX   use the real Zeek installed there in place of zeek-sim
		  --no-lab        leave out the lab (hosts in systemd-nspawn; needs root)
		  --only WHAT     unit: the tests without a lab; lab: the lab's suite alone
	END
}

die() {
	printf 'run.sh: error: %s\n' "$*" >&2
	exit 2
}

zeek=
unit=yes
lab=yes
while [ $# -gt 0 ]; do
	case $1 in
	--zeek)
		[ $# -ge 2 ] || die "--zeek needs the prefix of a Zeek"
		zeek=$(cd "$2" && pwd) || die "--zeek: no folder $2"
		[ -x "$zeek/bin/zeek" ] || die "--zeek: no $zeek/bin/zeek"
		shift
		;;
	--no-lab) lab=no ;;
	--only)
		case ${2:-} in
		unit) lab=no ;;
		lab) unit=no ;;
		*) die "--only takes unit or lab" ;;
		esac
		shift
		;;
	-h | --help)
		usage
		exit 0
		;;
	*)
		usage >&2
		exit 2
		;;
	esac
	shift
done
[ "$lab$unit" != nono ] || die "--no-lab leaves nothing of --only lab"

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
export CARGO_TARGET_DIR=$target
log=$target/lab/log
ran=()
broken=()
passed=0
failed=0
lab_up=no
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

# Takes the lab down, whatever state it is in; after a failure its logs are kept first.
lab_down() {
	[ "$lab_up" = yes ] || return 0
	lab_up=no
	[ ${#broken[@]} = 0 ] && [ "$failed" = 0 ] || tests/lab/lab.sh logs || true
	tests/lab/lab.sh down
}

cleanup() {
	local status=$?
	trap '' INT TERM HUP
	trap - EXIT
	stop_child
	[ -z "$policy" ] || rm -f "$policy"
	lab_down || status=1
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

# Adds up cargo's own result lines of the last step.
count() {
	local line
	while read -r line; do
		[[ $line =~ ^test\ result:\ .*\ ([0-9]+)\ passed\;\ ([0-9]+)\ failed ]] || continue
		passed=$((passed + BASH_REMATCH[1]))
		failed=$((failed + BASH_REMATCH[2]))
	done <"$log/step.log"
}

install_packages() {
	local wanted=() missing=() package
	# sshd: the transport's tests and the lab. The shells: login shells and completions. The rest: the lab.
	wanted=(openssh-server openssh-client procps jq bash zsh fish tcsh busybox dash python3-venv)
	[ "$lab" = no ] || wanted+=(debootstrap systemd-container iproute2 libcap2-bin util-linux)
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

# zeek-format: a parser of Zeek's language that is not ours, for what we generate.
install_zeek_format() {
	local venv=$target/venv want=zeekscript==1.3.6
	if [ "$(cat "$venv/installed" 2>/dev/null)" != "$want" ]; then
		heading "$want into $venv"
		rm -rf "$venv"
		{ /usr/bin/python3 -m venv "$venv" && "$venv/bin/pip" install --quiet "$want"; } >"$log/pip.log" 2>&1 </dev/null || {
			tail -n 20 "$log/pip.log" >&2
			die "pip could not install $want ($log/pip.log)"
		}
		printf '%s\n' "$want" >"$venv/installed"
	fi
	export ZEEK_FORMAT=$venv/bin/zeek-format
}

mkdir -p "$log"
command -v cargo >/dev/null || die "cargo is not in PATH; install Rust first"
[ "$lab" = no ] || [ "$(id -u)" = 0 ] || die "the lab needs root; --no-lab leaves it out"
install_packages
install_zeek_format

# The sockets of SSH connections go where no one else's are, on a short path.
runtime=$(mktemp -d /tmp/cc.XXXXXX)
export XDG_RUNTIME_DIR=$runtime
if [ -n "$zeek" ]; then
	export CLUSTERCTL_ZEEK=$zeek
fi

tests() {
	[ "$unit" = no ] || {
		step "cargo test --workspace" cargo test --workspace --locked --no-fail-fast || true
		count
	}
	[ "$lab" = no ] || lab_tests
}

lab_tests() {
	local before=$((passed + failed))
	if [ -n "$zeek" ]; then
		export LAB_ZEEK=$zeek
	else
		LAB_ZEEK=$(tests/lab/lab.sh simprefix)
		export LAB_ZEEK
	fi
	lab_up=yes
	step "lab up, with ${zeek:-zeek-sim}" tests/lab/lab.sh up || return 0
	export CLUSTERCTL_LAB=$target/lab/run
	step "cargo test lab::" cargo test --locked --test it lab:: -- --test-threads=1 --include-ignored || true
	count
	if [ $((passed + failed)) = "$before" ]; then
		printf 'run.sh: error: the lab suite ran no test\n' >&2
		broken+=("no lab test")
	fi
}

# An earlier run that was killed may have left a lab.
[ "$lab" = no ] || tests/lab/lab.sh down
if step "cargo build" cargo build --workspace --locked; then tests; fi
lab_down || broken+=("lab down")

heading "ran: $(printf '%s; ' "${ran[@]}")"
[ ${#broken[@]} = 0 ] || printf 'not well: %s(logs: %s)\n' "$(printf '%s; ' "${broken[@]}")" "$log"
printf '%s passed, %s failed\n' "$passed" "$failed"
[ ${#broken[@]} = 0 ] && [ "$failed" = 0 ]
