# Holds the lock of a host as long as this script's stdin is open. Arguments: the cluster's folder, the operation,
# a line about the holder, and for a lock whose connection broke what the file `operation` said when it was had first:
# it is had again only where nobody else has done anything since (templates/guard.sh); `first` otherwise. Input: lines
# for the journal, with `beside` before them only where there is one already; `done` ends the operation, and the journal
# with it; `ended` ends one that has none.
# For the history: what is done, nothing where that changes nothing; and who does it.
home=$1 operation=$2 holder=$3 before=$4 what=${5:-} who=${6:-}
mkdir -p "$home" 2>/dev/null || {
	say fail "can't make the folder $home (as $(id -un 2>/dev/null)); run as root: install -d -o $(id -un 2>/dev/null) ${home%/*}"
	exit 1
}
take_lock "$home" "$operation" "$holder"
got=$?
if [ "$got" = 1 ] && [ "${held%% *}" = "$operation" ]; then
	# Ours, over the connection that broke: sshd has not seen that yet.
	kill -TERM "$p" 2>/dev/null
	tries=0
	while alive "$b" "$p" "$s" && [ "$tries" -lt 50 ]; do
		tries=$((tries + 1))
		nap
	done
	take_lock "$home" "$operation" "$holder"
	got=$?
fi
# The host's own maintenance is mostly short.
waited=0
while [ "$got" = 1 ] && [ "${held%% *}" = maintain ] && [ "$waited" -lt 50 ]; do
	waited=$((waited + 1))
	nap
	take_lock "$home" "$operation" "$holder"
	got=$?
done
case $got in
1)
	say held "$held"
	exit 0
	;;
2)
	say fail "$why"
	exit 1
	;;
esac
# Who has done something here last.
last='' ended=0
{ read -r last <"$home/operation"; } 2>/dev/null
last=${last:--}
if [ "$before" != first ] && [ "$last" != "$before" ] && [ "$last" != "$operation" ]; then
	free_lock
	say beaten
	exit 0
fi
# sshd learns that a connection is lost only where something is sent over it: without this the lock of a clusterctl
# behind a cut network would outlive the cut. Nothing is to be said at the end of that shell (beat.sh).
trap - EXIT
(
	nap=''
	trap '[ -z "$nap" ] || kill "$nap"; exit 0' TERM
	while :; do
		sleep 5 >/dev/null 2>&1 &
		nap=$!
		wait "$nap"
		read -r up _ </proc/uptime
		say beat "$up"
	done
) &
beat=$!
trap 'ended=$?; kill "$beat" 2>/dev/null; free_lock; echo "$T end $ended"' EXIT
trap 'exit 1' HUP INT TERM PIPE
read -r up _ </proc/uptime
say locked "$up $last"
target=''
[ -z "$what" ] || [ "$before" != first ] || note_history "$home" "begin $operation $what $who"
while IFS= read -r line; do
	case $line in
	done | ended)
		[ "$line" = ended ] || rm -f "$home/journal"
		[ -z "$what" ] || note_history "$home" "end $operation $target"
		;;
	"beside "*) [ ! -s "$home/journal" ] || printf '%s\n' "${line#beside }" >>"$home/journal" ;;
	*)
		printf '%s\n' "$line" >>"$home/journal"
		case $line in
		"to "*) target=${line#to } ;;
		esac
		;;
	esac
done
