#!/usr/bin/env bash
# From nothing to a running cluster on this machine, and its status. `run.sh stop` ends it.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
cd "$here/../.."

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
folder=$target/quickstart
description=$folder/cluster.yaml
clusterctl=$target/release/clusterctl

say() { printf '%s\n' "$*" >&2; }

case ${1:-} in
'') ;;
stop)
	if [ ! -x "$clusterctl" ] || [ ! -e "$description" ]; then
		say "there is nothing to stop: run $0 first"
		exit 1
	fi
	exec "$clusterctl" -f "$description" stop
	;;
*)
	say "usage: $0 [stop]"
	exit 2
	;;
esac

# May the current user capture with it? Root may; others if the binary has the capability.
may_capture() { [ "$(id -u)" = 0 ] || PATH=$PATH:/usr/sbin:/sbin getcap "$1" 2>/dev/null | grep -q cap_net_raw; }

# The prefix of an installed Zeek, if there is one.
find_zeek() {
	local candidate
	for candidate in "$(command -v zeek || true)" /opt/zeek/bin/zeek /usr/local/zeek/bin/zeek; do
		[ -x "$candidate" ] || continue
		candidate=$(readlink -f "$candidate")
		if may_capture "$candidate"; then
			dirname "$(dirname "$candidate")"
			return
		fi
		say "Zeek in $candidate can't capture for this user; as root: setcap cap_net_raw+eip $candidate"
	done
}

# A path as YAML, whatever is in it.
quoted() {
	local text=${1//\\/\\\\}
	printf '"%s"' "${text//\"/\\\"}"
}

if ! command -v cargo >/dev/null; then
	say "cargo is not in PATH; install Rust first"
	exit 1
fi
mkdir -p "$folder"
zeek=$(find_zeek)
say "Building clusterctl (the first time takes a few minutes) ..."
if [ -n "$zeek" ]; then
	cargo build --release --locked --package clusterctl
	say "The nodes run the Zeek in $zeek."
else
	cargo build --release --locked --package clusterctl --package zeek-sim
	zeek=$folder/zeek
	mkdir -p "$zeek/bin" "$zeek/share/zeek/site" "$zeek/etc"
	# A binary that did not change keeps its time: nodes restart for a new one.
	if ! cmp -s "$target/release/zeek-sim" "$zeek/bin/zeek"; then
		cp "$target/release/zeek-sim" "$zeek/bin/.zeek.new"
		mv "$zeek/bin/.zeek.new" "$zeek/bin/zeek"
	fi
	ln -sf zeek "$zeek/bin/zeek-archiver"
	[ -e "$zeek/etc/zeek-sim.conf" ] || printf '# Settings of zeek-sim.\npackets=1000\n' >"$zeek/etc/zeek-sim.conf"
	say "No Zeek is installed here: the nodes run zeek-sim, a stand-in that looks at no traffic."
fi

base=$folder/base
[ -d "$base" ] || mkdir -m 755 "$base"
while IFS= read -r line; do
	case $line in
	'# A small cluster'*) printf '# Written by examples/quickstart/run.sh.\n' ;;
	'  prefix: '*) printf '  prefix: %s\n' "$(quoted "$zeek")" ;;
	'  base: '*) printf '  base: %s\n' "$(quoted "$base")" ;;
	*) printf '%s\n' "$line" ;;
	esac
done <"$here/cluster.yaml" >"$description.new"
mv "$description.new" "$description"

say "\$ clusterctl -f $description deploy --yes"
"$clusterctl" -f "$description" deploy --yes
say "\$ clusterctl -f $description status"
status=0
"$clusterctl" -f "$description" status || status=$?

cat >&2 <<END

The description:  $description
The nodes' files: $base/quickstart/nodes
Look further:     export CLUSTERCTL_FILE=$description
                  $clusterctl status
                  $clusterctl nodes
                  $clusterctl layout
Stop it:          examples/quickstart/run.sh stop
END
exit "$status"
