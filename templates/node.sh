# What starts a node and records its end, the same for every runner. A constant; it goes into each release, after
# lib.sh, crashes.sh and logs.sh. Arguments: what to do, the cluster's folder, the node's folder, the release's folder, the node.
#   may         waits until a pause is over; not 0 where the node must not be started
#   run         becomes the node; 77 where it must not be started, and `exit` says why
#   parse D     has its scripts parsed within D seconds, in the folder as it is
#   running, parsing D   the same, in an environment that is clean already
#   ended S A   records that it ended with the status S; A is `asked` if somebody wanted that. Its own exit status is
#               the pause in seconds until it is to be started again, or 0. With `systemd` for S, it is in the
#               environment (systemd.exec(5))
#   asked       somebody wants it to end
#   backtrace C writes a backtrace beside the core C
set -u
umask 022
LC_ALL=C
export LC_ALL
verb=$1 home=$2 dir=$3 release=$4 node=$5
start=$release/start/$node
cd "$dir" || exit 77
refuse() {
	keep exit "id $me
refused $*" || echo "clusterctl: $node: $*" >&2
	exit 77
}
# Sets tries to how often in a row it has ended soon.
read_tries() {
	tries=0
	while read -r key value; do
		[ "$key" = tries ] && tries=$value
	done <"$1"
	case $tries in
	'' | *[!0-9]*) tries=0 ;;
	esac
} 2>/dev/null
