# Holds the lock of a host as long as this script's stdin is open. Arguments: the cluster's folder, the operation,
# a line about the holder. Input: lines for the journal; `done` ends the operation, and the journal with it.
home=$1 operation=$2 holder=$3
mkdir -p "$home" 2>/dev/null || {
	say fail "can't make the folder $home (as $(id -un 2>/dev/null)); as root: install -d -o $(id -un 2>/dev/null) ${home%/*}"
	exit 1
}
take_lock "$home" "$operation" "$holder"
case $? in
1)
	# shellcheck disable=SC2154
	say held "$held"
	exit 0
	;;
2)
	# shellcheck disable=SC2154
	say fail "$why"
	exit 1
	;;
esac
# sshd learns that a connection is lost only where something is sent over it: without this the lock of a clusterctl
# behind a cut network would outlive the cut.
(
	nap=''
	trap '[ -z "$nap" ] || kill "$nap"; exit 0' TERM
	while :; do
		sleep 5 >/dev/null 2>&1 &
		nap=$!
		wait "$nap"
		say beat
	done
) &
beat=$!
trap 'kill "$beat" 2>/dev/null; free_lock; echo "$T end $?"' EXIT
trap 'exit 1' HUP INT TERM PIPE
read -r up _ </proc/uptime
say locked "$up"
while IFS= read -r line; do
	case $line in
	done) rm -f "$home/journal" ;;
	*) printf '%s\n' "$line" >>"$home/journal" ;;
	esac
done
