# Archives rotated logs: zeek-archiver, one pass after another; the last one after SIGTERM. A constant that goes into
# each release, after lib.sh, claim.sh and logs.sh, and runs as the node log-archiver. Arguments: the cluster's folder, the spool
# folder, `once` for one pass. zeek-archiver's own loop is not used: it looks only every 30 s, and can't be told to finish.
home=$1 spool=$2 mode=${3:-}
ended='' nap='' told=''
archive='' archiver='' compress='' queued=0
trap 'ended=1; [ -n "$nap" ] && kill "$nap" 2>/dev/null' TERM INT
trap '' HUP
# Archives what waits, by the settings of the release that is current now. Two at once would write to the same temporary
# file: zeek-archiver claims the folder, and busy is set where another one has it.
pass() {
	busy=''
	log_settings "$home/current/clusterctl/logs.conf" 2>/dev/null
	count_queue
	[ -n "$archive" ] && [ "$queued" -gt 0 ] || return 0
	if [ ! -x "$archiver" ]; then
		[ -n "$told" ] || echo "clusterctl: $archiver is not there: $queued logs wait in $spool/log-queue" >&2
		told=1
		return 0
	fi
	told=''
	mkdir -p "$archive" 2>/dev/null
	keep_apart
	(
		myself
		claim archiving "id $me"
		case $? in
		1 | 3) exit 75 ;;
		2)
			# On a full disk there is no claim; who has one is still respected.
			identity archiving && alive "$b" "$p" "$s" && exit 75
			;;
		esac
		exec "$archiver" -1 -c "$compress" -z gz,bz2,lz,lz4,zst "$spool/log-queue" "$archive"
	) >"last.$$" 2>&1 &
	child=$!
	wait "$child"
	code=$?
	while kill -0 "$child" 2>/dev/null; do
		# After a signal bash 5.2 may not wait (supervisor.sh).
		nap
		wait "$child"
		code=$?
	done
	if [ "$code" = 75 ]; then
		rm -f "last.$$"
		busy=1
		return 0
	fi
	mv -f "last.$$" last
	identity archiving && [ "$p" = "$child" ] && rm -f archiving
	before=$queued
	count_queue
	[ "$queued" -lt "$before" ] && return 0
	echo "clusterctl: $queued logs wait in $spool/log-queue; zeek-archiver said: $(tail -n 1 last)" >&2
	return 1
}
# One pass beside a node of this name does not speak for it.
is() {
	[ "$mode" = once ] || echo "$*" >.status
}
is 'RUNNING [archiving]'
pause=5
[ "$mode" != once ] || ended=1
until [ -n "$ended" ]; do
	if pass; then
		pause=5
	elif [ "$pause" -lt 60 ]; then
		# What fails is tried less often; so its complaints stay few.
		pause=$((pause * 2))
	fi
	[ -z "$ended" ] || break
	sleep "$pause" &
	nap=$!
	wait "$nap"
	nap=''
done
is 'TERMINATING [archiving]'
# What stopped nodes wrote after their last rotation.
moved=0
log_settings "$home/current/clusterctl/logs.conf" 2>/dev/null
for dir in "$spool"/nodes/*/; do
	dir=${dir%/}
	want=''
	{ read -r want <"$dir/want"; } 2>/dev/null
	[ "$want" = stopped ] && ! node_alive "$dir" && ! supervisor_alive "$dir" &&
		leftovers "$dir" "$home/current/start/${dir##*/}"
done
pass
while [ -n "$busy" ] && [ "$mode" != once ]; do
	nap
	pass
done
is "TERMINATED [$moved moved, $queued left]"
exit 0
