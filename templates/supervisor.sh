# Keeps one node running: start it, wait, record, pause, again. A constant; it goes into each release, after lib.sh.
# Arguments: the cluster's folder, the node's folder, the release's folder, the node. SIGTERM ends the node and the
# supervisor; SIGUSR1 ends a supervisor that pauses, and no other.
set -u
home=$1 dir=$2 release=$3 node=$4
cd "$dir" || exit 1
trap '' HUP
# One supervisor: whoever claims the file.
myself
ours="id $me"
claim supervisor "$ours"
case $? in
0) ;;
2)
	printf '%s\nrefused cannot write in %s (is the disk full?)\n' "$ours" "$dir" >./exit
	exit 1
	;;
*) exit 0 ;;
esac
finish() {
	disclaim supervisor "$ours"
	exit 0
}
# A node of a supervisor that was killed: it is not adopted.
node_alive . && finish
child='' nap='' ended='' got=''
on_term() {
	ended=asked got=1
	[ -n "$child" ] && kill -TERM "$child" 2>/dev/null
	[ -n "$nap" ] && kill "$nap" 2>/dev/null
}
trap on_term TERM INT
trap 'got=1; [ -z "$nap" ] || on_term' USR1
while :; do
	[ -n "$ended" ] || [ -e stop ] && finish
	sh "$release/clusterctl/node.sh" run "$home" "$dir" "$release" "$node" &
	child=$!
	# A signal may have come before there was a child to hand it to.
	[ -n "$ended" ] && kill -TERM "$child" 2>/dev/null
	code=127 got=1
	# A wait that a signal interrupted is no end of the node; one that did not is the last (127). After one, bash 5.2 may
	# say -1, and not wait.
	while [ -n "$got" ]; do
		got=''
		wait "$child" 2>/dev/null
		again=$?
		case $again in
		127) ;;
		-*)
			if kill -0 "$child" 2>/dev/null; then
				got=1
				nap
			fi
			;;
		*) code=$again ;;
		esac
	done
	child=''
	sh "$release/clusterctl/node.sh" ended "$home" "$dir" "$release" "$node" "$code" "${ended:--}"
	pause=$?
	[ "$pause" = 0 ] || [ "$pause" -gt 60 ] && finish
	sleep "$pause" &
	nap=$!
	[ -n "$ended" ] && kill "$nap" 2>/dev/null
	wait "$nap"
	nap=''
done
