# The verb `may`: is the node to be started now?
may() {
	meant=''
	{ read -r meant _ <want; } 2>/dev/null
	if [ "$meant" != running ] || [ -e stop ]; then
		echo "clusterctl: $node is stopped; to start it: clusterctl start $node" >&2
		exit 1
	fi
	[ -f exit ] || exit 0
	identity exit
	at=0 next=refused
	while read -r key value; do
		case $key in
		at) at=$value ;;
		next) next=$value ;;
		esac
	done <./exit
	seconds
	# A container that was started again has the boot of before, and a clock that begins anew.
	if [ "$b" != "$boot" ] || [ "$at" -gt "$now" ]; then
		mv -f exit exit.last
		exit 0
	fi
	case $next in
	stopped) exit 0 ;;
	'' | *[!0-9]*)
		echo "clusterctl: $node is not restarted ($next); to start it: clusterctl start $node" >&2
		exit 1
		;;
	esac
	[ "$now" -ge $((at + next)) ] || sleep $((at + next - now))
	exit 0
}
